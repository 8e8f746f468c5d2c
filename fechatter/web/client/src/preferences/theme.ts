import { ref, watch } from "vue"
import { browserStorage } from "@/platform/storage"

export const THEMES = ["system", "light", "dark"] as const
export type Theme = (typeof THEMES)[number]

/** `public/boot.js` reads this key before the first paint. */
const KEY = "fechatter.theme"

export const theme = ref<Theme>(stored())

watch(theme, chosen => {
  if (chosen === "system") {
    delete document.documentElement.dataset["theme"]
    browserStorage.delete(KEY)
  } else {
    document.documentElement.dataset["theme"] = chosen
    browserStorage.set(KEY, chosen)
  }
})

function stored(): Theme {
  const found = browserStorage.get(KEY)
  return THEMES.find(name => name === found) ?? "system"
}
