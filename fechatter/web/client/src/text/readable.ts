/**
 * Addresses for display: international domains in their Unicode form instead of `xn--…`. A domain that looks like
 * another one keeps the form that the network uses. Pure.
 */

import { toUnicode } from "punycode.js"
import { isHomograph } from "@/text/homographs"

/** Returns an address for display, without user information before the host that would hide the real host. */
export function readable(address: string): string {
  if (/^mailto:/iu.test(address)) return readableEmail(address)
  if (!/^https?:/iu.test(address) || !URL.canParse(address)) return address
  const url = new URL(address)
  const hasUser = url.username + url.password !== ""
  url.username = ""
  url.password = ""
  const shown = readableHost(url.host)
  if (!hasUser && shown === url.host) return address
  return (hasUser ? url.href : address).replace(url.host, shown)
}

/** Returns an e-mail address for display. */
export function readableEmail(email: string): string {
  return email.replace(/@[^@?]*/u, domain => readableHost(domain))
}

function readableHost(host: string): string {
  if (!host.includes("xn--")) return host
  try {
    const shown = toUnicode(host)
    return isHomograph(shown) ? host : shown
  } catch {
    return host
  }
}
