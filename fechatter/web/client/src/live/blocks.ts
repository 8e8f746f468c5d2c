/** Reads Server-Sent Events as the HTML standard does, and also returns blocks without an event. */

import type { Block } from "@/live/transport"

const LONGEST_BLOCK = 4 * 1024 * 1024

/** Splits text that arrives in pieces into blocks. */
export class BlockReader {
  private rest = ""

  /** Returns the blocks that `text` completes. Throws if a block is too long or its data is not JSON. */
  push(text: string): Block[] {
    const blocks = (this.rest + text).split("\n\n")
    this.rest = blocks.pop() ?? ""
    if (this.rest.length > LONGEST_BLOCK) throw new Error("an event is too long")
    return blocks.map(parse)
  }
}

function parse(text: string): Block {
  const block: Block = { id: null, event: null, data: null }
  let data: string | null = null
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":")
    if (colon <= 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^ /, "")
    if (name === "data") data = data === null ? value : `${data}\n${value}`
    else if (name === "id" || name === "event") block[name] = value
  }
  if (data !== null) block.data = JSON.parse(data)
  return block
}
