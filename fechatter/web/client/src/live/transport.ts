/** The seam between the live connection and the ways in which it reaches the server. */

/** A field that the block lacks is null. A block with only an `id` is a heartbeat. */
export interface Block {
  id: string | null
  event: string | null
  data: unknown
}

/** An open stream. */
export interface Stream {
  /** Returns the blocks that arrived since the last call, or null at the end. Throws if the stream breaks. */
  read(): Promise<Block[] | null>
  /** Send a command to the server. Returns false if this transport cannot. */
  send(command: object): boolean
}

export interface Opening {
  /** The position after which the stream continues. */
  cursor: string
  /** The positions that the log must contain, in the form of the header `Event-Cursor`; or null. */
  seen: string | null
  /** Ends the stream, or the attempt to open it. */
  signal: AbortSignal
}

export interface Transport {
  /** Throws SignedOut, Problem or Unreachable. */
  open(opening: Opening): Promise<Stream>
}
