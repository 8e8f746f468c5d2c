/** Server-Sent Events from a response's body, as the HTML standard reads them, the silent blocks included. */

const LONGEST_BLOCK = 4 * 1024 * 1024

/** Each part is null when the block has none; a block of nothing but an `id:` is a heartbeat. */
export interface Block {
  id: string | null
  event: string | null
  data: string | null
}

/** Cuts text that comes in pieces into blocks. */
export class BlockReader {
  private rest = ""

  /** The blocks that `text` completes. Throws when a block never ends. */
  push(text: string): Block[] {
    const blocks = (this.rest + text).split("\n\n")
    this.rest = blocks.pop() ?? ""
    if (this.rest.length > LONGEST_BLOCK) throw new Error("an event without an end")
    return blocks.map(parse)
  }
}

function parse(text: string): Block {
  const block: Block = { id: null, event: null, data: null }
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":")
    if (colon <= 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^ /, "")
    if (name === "data") block.data = block.data === null ? value : `${block.data}\n${value}`
    else if (name === "id" || name === "event") block[name] = value
  }
  return block
}
