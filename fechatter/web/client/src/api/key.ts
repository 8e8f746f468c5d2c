/** Idempotency keys: UUIDv7, whose order in time makes them the cheapest for the server to remember. */

let lastMs = 0
let counter = 0

/** A new key, `xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx`; those of one page ascend, in the same millisecond too. */
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
