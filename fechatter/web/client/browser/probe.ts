/** Scripts that run in a page before its own scripts. They measure when something appears on the screen. */

/** All times are in milliseconds. */
export interface Probe {
  /** From the start of the navigation until the first message is painted. */
  loaded: Promise<number>
  /** For each key, from the key until the next frame. */
  keys: number[]
  /** Measure from the bytes that contain `mark` until a message with it is painted. */
  arrival(mark: string): void
  /** Measure from the next click until a message with `mark` is painted. */
  click(mark: string): void
  /** The result of the last measurement. */
  result: Promise<number>
}

declare global {
  var probe: Probe
  /** The marks to look for in the stream, and the time at which each mark arrived. */
  var streamMarks: Map<string, number | null>
}

/** Runs in the page, so it cannot use anything else in this file. */
export function installStreamProbe(): void {
  globalThis.streamMarks = new Map()
  const pipe = ReadableStream.prototype.pipeThrough
  ReadableStream.prototype.pipeThrough = function <T>(
    this: ReadableStream,
    through: ReadableWritablePair<T>,
    options?: StreamPipeOptions,
  ): ReadableStream<T> {
    if (!(through instanceof TextDecoderStream)) return pipe.call(this, through, options) as ReadableStream<T>
    const tap = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, next) {
        const now = performance.now()
        const text = new TextDecoder().decode(bytes)
        for (const [mark, at] of streamMarks) if (at === null && text.includes(mark)) streamMarks.set(mark, now)
        next.enqueue(bytes)
      },
    })
    return pipe.call(pipe.call(this, tap), through, options) as ReadableStream<T>
  }
}

/** Runs in the page after `installStreamProbe`. */
export function installProbe(): void {
  const rows = () => [...document.querySelectorAll(".message .message-text")]

  const painted = () =>
    new Promise<number>(done =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => done(performance.now())
        port2.postMessage(null)
      }),
    )

  const appears = (fits: (row: Element) => boolean) =>
    new Promise<number>(done => {
      const watch = new MutationObserver(() => {
        if (!rows().some(fits)) return
        watch.disconnect()
        done(painted())
      })
      watch.observe(document, { childList: true, subtree: true })
    })

  const keys: number[] = []
  addEventListener("keydown", event => void painted().then(now => keys.push(now - event.timeStamp)), { capture: true })

  const probe: Probe = {
    loaded: appears(() => true),
    keys,
    arrival(mark) {
      streamMarks.set(mark, null)
      probe.result = appears(row => row.textContent.includes(mark)).then(shown => shown - streamMarks.get(mark)!)
    },
    click(mark) {
      let clicked = 0
      addEventListener("click", event => (clicked = event.timeStamp), { capture: true, once: true })
      probe.result = appears(row => row.textContent.includes(mark)).then(shown => shown - clicked)
    },
    result: Promise.resolve(0),
  }
  globalThis.probe = probe
}
