import { locale, t } from "@/i18n"
import { clockOptions, regional } from "@/i18n/region"
import { preferences } from "@/preferences/preferences"

const made = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat | Intl.ListFormat>()

/** Creating a format is expensive; using it is cheap. */
function once<Format extends NonNullable<ReturnType<typeof made.get>>>(
  name: string,
  make: (tag: string) => Format,
): Format {
  const key = `${locale.value} ${preferences.clock} ${name}`
  const known = made.get(key) as Format | undefined
  if (known) return known
  const format = make(regional(locale.value))
  made.set(key, format)
  return format
}

/** The style decides the digits of the hour: 01:05 in Britain and Germany, 1:05 in Japan. */
const HOURS = (): Intl.DateTimeFormatOptions => ({ timeStyle: "short", ...clockOptions() })

export function number(value: number): string {
  return once("number", tag => new Intl.NumberFormat(tag)).format(value)
}

/** The time of day, such as 14:05. */
export function time(at: string | Date): string {
  return once("time", tag => new Intl.DateTimeFormat(tag, HOURS())).format(new Date(at))
}

/** The time of day without AM or PM, for narrow places. */
export function clock(at: string | Date): string {
  return once("clock", tag => new Intl.DateTimeFormat(tag, HOURS()))
    .formatToParts(new Date(at))
    .filter(part => part.type === "hour" || part.type === "minute" || part.value === ":")
    .map(part => part.value)
    .join("")
}

/** The full date and time, for tips and screen readers. */
export function dateTime(at: string | Date): string {
  return once(
    "full",
    tag => new Intl.DateTimeFormat(tag, { dateStyle: "full", timeStyle: "short", ...clockOptions() }),
  ).format(new Date(at))
}

export function date(at: string | Date): string {
  return once("date", tag => new Intl.DateTimeFormat(tag, { dateStyle: "medium" })).format(new Date(at))
}

/** The time of day if it is today, or else the date. */
export function moment(at: string | Date, now = new Date()): string {
  const then = new Date(at)
  return midnight(then) === midnight(now) ? time(then) : date(then)
}

/** Today, yesterday, or Monday 3 March; with the year if it is not the current year. */
export function day(at: string | Date, now = new Date()): string {
  const then = new Date(at)
  const days = Math.round((midnight(then) - midnight(now)) / 86_400_000)
  if (days === 0 || days === -1) return capitalised(relative().format(days, "day"))
  const sameYear = then.getFullYear() === now.getFullYear()
  const options: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long" }
  if (!sameYear) options.year = "numeric"
  return once(`day ${sameYear}`, tag => new Intl.DateTimeFormat(tag, options)).format(then)
}

/** Just now, 5 minutes ago, 3 hours ago, yesterday; the date if it is more than a week ago. */
export function ago(at: string | Date, now = new Date()): string {
  const seconds = (new Date(at).getTime() - now.getTime()) / 1000
  const past = Math.abs(seconds)
  if (past < 60) return t("components.justNow")
  if (past < 3_600) return relative().format(Math.round(seconds / 60), "minute")
  if (past < 86_400) return relative().format(Math.round(seconds / 3_600), "hour")
  if (past < 604_800) return relative().format(Math.round(seconds / 86_400), "day")
  return date(at)
}

/** Ada, Grace and Alan. */
export function list(names: readonly string[]): string {
  return once("list", tag => new Intl.ListFormat(tag, { type: "conjunction" })).format(names)
}

function relative(): Intl.RelativeTimeFormat {
  return once("relative", tag => new Intl.RelativeTimeFormat(tag, { numeric: "auto" }))
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()
}

/** Starts with a capital letter, for words outside a sentence. */
export function capitalised(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale.value) + text.slice(1)
}
