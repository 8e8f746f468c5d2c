/** A model of the browser's locks for tests. */

type Work = (lock: Lock | null) => unknown

export class FakeLocks {
  private readonly ends = new Map<string, Promise<unknown>>()

  request(name: string, options: LockOptions | Work, work?: Work): Promise<unknown> {
    const run = (typeof options === "function" ? options : work) as Work
    const before = this.ends.get(name) ?? Promise.resolve()
    const result = before.then(() => run({ name, mode: "exclusive" }))
    this.ends.set(
      name,
      result.catch(() => undefined),
    )
    return result
  }
}
