import type en from "@/i18n/en"

/** Every language has the form `other`. `Intl.PluralRules` selects among further forms. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>
export type Values = Record<string, string | number>

type Translated<Texts> = { [Name in keyof Texts]: Texts[Name] extends string ? string : Plural }

/** The sections and keys of every language. A language that lacks one does not compile. */
export type Messages = { [Section in keyof typeof en]: Translated<(typeof en)[Section]> }

/** `section.name`. */
export type Key = { [Section in keyof Messages]: `${Section}.${keyof Messages[Section] & string}` }[keyof Messages]

/** Returns a text with its values inserted. */
export function fill(messages: Messages, key: Key, values: Values, locale: string): string {
  const [section, name] = key.split(".") as [keyof Messages, string]
  const found = (messages[section] as Record<string, string | Plural | undefined>)[name]
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
