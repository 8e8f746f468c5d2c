/** What is put into a page before its own scripts, to see when something is on the screen. */

export interface Probe {
  /** From the start of the navigation until the first message is painted; milliseconds, as all here. */
  loaded: Promise<number>
  /** From a key until the next picture. */
  keys: number[]
  /** Begin: from the bytes that hold `mark` until a message with it is painted. */
  arrival(mark: string): void
  /** Begin: from the next click until a message with `mark` is painted. */
  click(mark: string): void
  /** What was begun last. */
  result: Promise<number>
}

declare global {
  var probe: Probe
}

/** Runs in the page: it sees nothing of this file. */
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

  const heard = new Map<string, number>()
  const marks: string[] = []
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
        for (const mark of marks) if (text.includes(mark) && !heard.has(mark)) heard.set(mark, now)
        next.enqueue(bytes)
      },
    })
    return pipe.call(pipe.call(this, tap), through, options) as ReadableStream<T>
  }

  const keys: number[] = []
  addEventListener("keydown", event => void painted().then(now => keys.push(now - event.timeStamp)), { capture: true })

  const probe: Probe = {
    loaded: appears(() => true),
    keys,
    arrival(mark) {
      marks.push(mark)
      probe.result = appears(row => row.textContent.includes(mark)).then(shown => shown - heard.get(mark)!)
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
