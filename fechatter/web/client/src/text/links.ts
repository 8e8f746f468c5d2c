/**
 * The text of a link. If the text looks like another address than the one that the link opens, the real address is
 * shown instead. The comparison ignores invisible characters and treats look-alike characters as equal. Pure.
 */

import { isHomograph } from "@/text/homographs"
import { readable } from "@/text/readable"

/** Characters that are invisible or that change the order of text. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const DOTS = /[\u00b7\u0387\u0701\u0702\u2024\u2027\u3002\ua4f8\ua78f]/gu
const SLASHES = /[\u1735\u2044\u2215\u2571\u27cb\u29f8\u3033]/gu
const COLONS = /[\u02d0\u02f8\u05c3\u0589\u0703\u16ec\u1803\u205a\u2236\ua789\ufe30]/gu

const SCHEME = String.raw`\p{L}[\p{L}\p{N}+.-]{0,30}:[/\\]+`
const CLAIM = new RegExp(String.raw`(?:${SCHEME}|\bwww\.)[^\s/\\]|\bmailto:`, "iu")
const CLAIMS = new RegExp(String.raw`(?<![\p{L}\p{N}+./-])(?=${SCHEME})|(?=\bmailto:)|(?<![/\\@.])(?=\bwww\.)`, "iu")
const BARE = /^(?:[^\s@]*@)?(?:(?:[\p{L}\p{N}_-]+\.)+\p{L}{2,63}|\d{1,3}(?:\.\d{1,3}){3})\.?(?::\d+)?(?:[/\\?#]\S*)?$/u
/** Endings that people read as a file or a library, not as a host. */
const FILE =
  /\.(?:[cm]?[jt]sx?|vue|json|md|py|rs|go|cpp|cs|java|kt|php|css|html?|xml|ya?ml|toml|txt|pdf|csv|log|sql)$/iu

interface Place {
  host: string
  user: string
  path: string
}

/** Returns the text to show for a link: the written text, or the address if the text looks like another address. */
export function shownWords(words: string, address: string): string {
  const seen = visible(words)
  if (seen === "") return readable(address)
  const claims = claimsOf(seen)
  return claims.every(claim => isHonest(claim, address)) ? words : readable(address)
}

/** Removes the characters that reverse text, so that nothing in a link reads backwards. */
export function withoutTurns(text: string): string {
  return text.replace(TURNS, "")
}

function visible(words: string): string {
  const plain = words.replace(INVISIBLE, "").normalize("NFKC")
  return plain.replace(DOTS, ".").replace(SLASHES, "/").replace(COLONS, ":").trim()
}

/** Returns the parts of the text that look like an address. */
function claimsOf(seen: string): string[] {
  const words = seen.split(/\s+/u)
  const claims = words.flatMap(word => (CLAIM.test(word) ? word.split(CLAIMS) : [trimmed(word)])).filter(isClaim)
  const squeezed = words.join("")
  return claims.length === 0 && CLAIM.test(squeezed) ? [squeezed] : claims
}

function isClaim(word: string): boolean {
  return CLAIM.test(word) || (BARE.test(word) && !FILE.test(word))
}

function trimmed(word: string): string {
  return word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}/]+$/gu, "")
}

/** Whether the visible text equals the link's address or its beginning. */
function isHonest(claim: string, address: string): boolean {
  const isMail = /^mailto:/iu.test(address)
  const [seen, real] = [placeOf(claim, isMail), placeOf(address, isMail)]
  if (seen === null || real === null || isHomograph(hostPart(claim))) return false
  if (!isMail && seen.user + real.user !== "") return false
  return seen.host === real.host && seen.user === real.user && real.path.startsWith(seen.path)
}

function placeOf(text: string, isMail: boolean): Place | null {
  const url = `https://${withoutScheme(text)}`
  if (!URL.canParse(url)) return null
  const { host, username, password, pathname, search, hash } = new URL(url)
  const path = isMail ? "" : decoded(pathname + search + hash).replace(/\/$/u, "")
  return { host: host.replace(/^www\.|\.$/gu, ""), user: username + password, path }
}

function withoutScheme(text: string): string {
  const rest = text.replace(new RegExp(`^${SCHEME}|^mailto:`, "iu"), "")
  return rest.replace(/(?:\.{3}|…)$/u, "")
}

function hostPart(text: string): string {
  return withoutScheme(text).split(/[/\\?#]/u)[0] ?? ""
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}
