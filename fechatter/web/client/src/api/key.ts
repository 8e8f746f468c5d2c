/** Idempotency keys. They are UUIDv7, because keys in order of time are the cheapest for the server to store. */

let lastMs = 0
let counter = 0

/**
 * Returns a new key, `xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx`. The keys of one page ascend, even within a millisecond.
 */
export function newKey(now = Date.now()): string {
  if (now > lastMs) [lastMs, counter] = [now, 0]
  else if (++counter > 0xfff) [lastMs, counter] = [lastMs + 1, 0]
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(lastMs / 2 ** 32))
  view.setUint32(2, lastMs % 2 ** 32)
  view.setUint16(6, 0x7000 | counter)
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f))
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
