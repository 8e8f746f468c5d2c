import { expect, test } from "vitest"
import { regional } from "@/i18n/region"

test("dates and times have the format of the reader's region", () => {
  expect(regional("en", ["en-GB", "en"])).toBe("en-GB")
  expect(regional("en", ["en", "en-AU"])).toBe("en-AU")
  expect(regional("en", ["de-DE", "en"])).toBe("en-DE")
  expect(regional("ja", ["ja", "en-US"])).toBe("ja-US")
  expect(regional("zh", ["zh-Hans-CN"])).toBe("zh-Hans-CN")
  expect(regional("en", [])).toBe("en")
  expect(regional("en", ["not a tag", "fr-CH"])).toBe("en-CH")
})

test("British and German readers of English see 24 hours, American readers see 12", () => {
  const at = new Date(2026, 0, 2, 15, 4)
  const time = (wanted: string[]) =>
    new Intl.DateTimeFormat(regional("en", wanted), { hour: "numeric", minute: "2-digit" }).format(at)
  expect(time(["en-GB"])).toBe("15:04")
  expect(time(["de-DE", "en"])).toBe("15:04")
  expect(time(["en-US"])).toMatch(/^3:04.PM$/u)
})
