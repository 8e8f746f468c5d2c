import { ref, shallowRef } from "vue"
import en from "@/i18n/en"
import { fill, type Key, type Messages, type Values } from "@/i18n/messages"
import { load } from "@/platform/lazy"
import { browserStorage } from "@/platform/storage"

export const LOCALES = { en: "English", zh: "中文", ja: "日本語" } as const
export type Locale = keyof typeof LOCALES
export type { Key } from "@/i18n/messages"

const STORED = "fechatter.locale"
const LOADERS: Record<Exclude<Locale, "en">, () => Promise<{ default: Messages }>> = {
  zh: () => import("@/i18n/zh"),
  ja: () => import("@/i18n/ja"),
}

/** The language that is shown; `setLocale` changes it. */
export const locale = ref<Locale>("en")
const messages = shallowRef<Messages>(en)

/** The text of a key, `{name}` replaced by its value; a plural is chosen by the value `count`. */
export function t(key: Key, values: Values = {}): string {
  return fill(messages.value, key, values, locale.value)
}

/** Loads a language and shows it; what is shown stays as it is where that fails. */
export async function setLocale(wanted: Locale): Promise<void> {
  messages.value = wanted === "en" ? en : (await load(LOADERS[wanted])).default
  locale.value = wanted
  document.documentElement.lang = wanted
}

/** The same, and kept for the next visit. */
export async function chooseLocale(wanted: Locale): Promise<void> {
  await setLocale(wanted)
  browserStorage.set(STORED, wanted)
}

/** What was chosen before, else the first language of the browser that there is, else English. */
export function preferredLocale(): Locale {
  const wanted = [browserStorage.get(STORED) ?? "", ...navigator.languages].map(tag => tag.split("-")[0] ?? "")
  return wanted.find((tag): tag is Locale => tag in LOCALES) ?? "en"
}
