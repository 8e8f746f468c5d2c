/** The secret of a link: it stands behind the `#`, which no server and no log gets to see. */
export function secretOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/u, "")).get("token") ?? ""
}
