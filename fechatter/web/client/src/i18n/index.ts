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

/** The current language; `setLocale` changes it. */
export const locale = ref<Locale>("en")
const messages = shallowRef<Messages>(en)

/** Returns the text of a key. Values replace `{name}`, and the value `count` selects the plural form. */
export function t(key: Key, values: Values = {}): string {
  return fill(messages.value, key, values, locale.value)
}

/** Loads a language and shows it. If that fails, the language does not change. */
export async function setLocale(wanted: Locale): Promise<void> {
  messages.value = wanted === "en" ? en : (await load(LOADERS[wanted])).default
  locale.value = wanted
  document.documentElement.lang = wanted
}

/** Loads a language, shows it and stores it for the next visit. */
export async function chooseLocale(wanted: Locale): Promise<void> {
  await setLocale(wanted)
  browserStorage.set(STORED, wanted)
}

/** Returns the stored language, or else the first available language of the browser, or else English. */
export function preferredLocale(): Locale {
  const wanted = [browserStorage.get(STORED) ?? "", ...navigator.languages].map(tag => tag.split("-")[0] ?? "")
  return wanted.find((tag): tag is Locale => tag in LOCALES) ?? "en"
}
