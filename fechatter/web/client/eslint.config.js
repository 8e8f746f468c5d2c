/** Checks sizes and width only: `vue-tsc` checks types, prettier checks layout and dependency-cruiser checks layers. */

import vue from "eslint-plugin-vue"
import { parser } from "typescript-eslint"

/** Strings and regular expressions may be longer, because a break would hide them from a search. */
const width = {
  code: 120,
  ignoreStrings: true,
  ignoreTemplateLiterals: true,
  ignoreRegExpLiterals: true,
  ignoreUrls: true,
}

export default [
  { ignores: ["src/api/schema.ts"] },
  ...vue.configs["flat/base"],
  { files: ["**/*.{ts,vue}"], languageOptions: { parserOptions: { parser } } },
  { files: ["**/*.ts"], languageOptions: { parser } },
  {
    files: ["**/*.{ts,js,mjs,vue}"],
    rules: {
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 50],
    },
  },
  { files: ["**/*.{ts,js,mjs}"], rules: { "max-len": ["error", width] } },
  {
    files: ["**/*.vue"],
    rules: { "vue/max-len": ["error", { ...width, template: 120, ignoreHTMLTextContents: true }] },
  },
]
