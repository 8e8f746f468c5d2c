import type en from "@/i18n/en"

/** Every language has a form for `other`; which further ones it needs, `Intl.PluralRules` knows. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>
export type Values = Record<string, string | number>

type Translated<Texts> = { [Name in keyof Texts]: Texts[Name] extends string ? string : Plural }

/** The same rooms and keys in every language: what one lacks does not compile. */
export type Messages = { [Room in keyof typeof en]: Translated<(typeof en)[Room]> }

/** `room.name`. */
export type Key = { [Room in keyof Messages]: `${Room}.${keyof Messages[Room] & string}` }[keyof Messages]

/** A text with its values in it. */
export function fill(messages: Messages, key: Key, values: Values, locale: string): string {
  const [room, name] = key.split(".") as [keyof Messages, string]
  const found = (messages[room] as Record<string, string | Plural | undefined>)[name]
  if (found === undefined) throw new Error(`no text ${key}`)
  const text = typeof found === "string" ? found : choose(found, Number(values["count"]), locale)
  return text.replace(/\{(\w+)\}/gu, (_, value: string) => show(values[value], value, locale))
}

function choose(plural: Plural, count: number, locale: string): string {
  return plural[new Intl.PluralRules(locale).select(count)] ?? plural.other
}

function show(value: string | number | undefined, name: string, locale: string): string {
  if (value === undefined) throw new Error(`no value for {${name}}`)
  return typeof value === "number" ? value.toLocaleString(locale) : value
}
