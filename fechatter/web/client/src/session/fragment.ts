/** Returns the secret of a link. It follows the `#`, which browsers send to no server. */
export function secretOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/u, "")).get("token") ?? ""
}
