/** Checks sizes and width only: `vue-tsc` checks types, prettier checks layout and dependency-cruiser checks layers. */

import vue from "eslint-plugin-vue"
import { parser } from "typescript-eslint"

export default [
  { ignores: ["src/api/schema.ts"] },
  ...vue.configs["flat/base"],
  { files: ["**/*.vue"], languageOptions: { parserOptions: { parser } } },
  { files: ["**/*.ts"], languageOptions: { parser } },
  {
    files: ["**/*.{ts,js,mjs,vue}"],
    rules: {
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 50],
    },
  },
  { files: ["**/*.{ts,js,mjs}"], rules: { "max-len": ["error", 120] } },
  { files: ["**/*.vue"], rules: { "vue/max-len": ["error", { code: 120, template: 120 }] } },
]
