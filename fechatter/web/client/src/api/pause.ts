/** Pauses between attempts. */

const FIRST_MS = 500
const MAX_MS = 30_000

/**
 * Returns the time to wait before the next attempt. Full jitter spreads the clients of a restarted server over time.
 * `failures` counts from 1. The server's Retry-After is the minimum.
 */
export function pauseMs(failures: number, retryAfterSeconds = 0, random: () => number = Math.random): number {
  const max = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures, 10))
  return retryAfterSeconds * 1000 + random() * max
}

/** A pause that `wake` may end early. */
export class Pause {
  private end: (() => void) | null = null

  async sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>(resolve => {
      this.end = resolve
      timer = setTimeout(resolve, milliseconds)
    })
    clearTimeout(timer)
    this.end = null
  }

  wake(): void {
    this.end?.()
  }
}
