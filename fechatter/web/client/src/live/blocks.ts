/** Reads Server-Sent Events as the HTML standard does, and also returns blocks without an event. */

const LONGEST_BLOCK = 4 * 1024 * 1024

/** A field that the block lacks is null. A block with only an `id:` is a heartbeat. */
export interface Block {
  id: string | null
  event: string | null
  data: string | null
}

/** Splits text that arrives in pieces into blocks. */
export class BlockReader {
  private rest = ""

  /** Returns the blocks that `text` completes. Throws if a block is too long. */
  push(text: string): Block[] {
    const blocks = (this.rest + text).split("\n\n")
    this.rest = blocks.pop() ?? ""
    if (this.rest.length > LONGEST_BLOCK) throw new Error("an event is too long")
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
