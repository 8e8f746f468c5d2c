const BROWSERS = [
  [/Edg\//u, "Edge"],
  [/OPR\//u, "Opera"],
  [/Firefox\//u, "Firefox"],
  [/Chrom(e|ium)\//u, "Chrome"],
  [/Safari\//u, "Safari"],
] as const
const SYSTEMS = [
  [/iPhone|iPad/u, "iOS"],
  [/Android/u, "Android"],
  [/Mac OS X/u, "macOS"],
  [/Windows/u, "Windows"],
  [/CrOS/u, "ChromeOS"],
  [/Linux/u, "Linux"],
] as const

/** Returns a name such as "Firefox · macOS" for a browser's user agent, or the first word of another program's. */
export function deviceName(userAgent: string): string {
  const found = [BROWSERS, SYSTEMS].map(names => names.find(([sign]) => sign.test(userAgent))?.[1]).filter(Boolean)
  return found.join(" · ") || userAgent.split(/[\s/]/u)[0] || "?"
}
