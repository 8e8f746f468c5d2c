/**
 * The browser's storage, which browsers may refuse, fill up or lack. What cannot be kept there is kept as long as the page
 * lives; nothing here ever throws. No other file touches `localStorage` or `sessionStorage`.
 */

class Store {
  /** What the browser did not take. */
  private readonly memory = new Map<string, string>()
  private readonly open: () => Storage

  /** Asking for the storage may throw by itself. */
  constructor(open: () => Storage) {
    this.open = open
  }

  get(key: string): string | null {
    return this.memory.get(key) ?? attempt(() => this.open().getItem(key), null)
  }

  set(key: string, value: string): void {
    this.memory.set(key, value)
    attempt(() => {
      this.open().setItem(key, value)
      this.memory.delete(key)
    }, undefined)
  }

  delete(key: string): void {
    this.memory.delete(key)
    attempt(() => this.open().removeItem(key), undefined)
  }

  /** A value that was kept as JSON; null where there is none, or another one than is expected. */
  getJson<Value>(key: string, isValue: (found: unknown) => found is Value): Value | null {
    const found: unknown = attempt(() => JSON.parse(this.get(key) ?? "null"), null)
    return isValue(found) ? found : null
  }
}

function attempt<Value>(work: () => Value, otherwise: Value): Value {
  try {
    return work()
  } catch {
    return otherwise
  }
}

/** For all tabs and later visits. */
export const kept = new Store(() => localStorage)
/** For this tab. */
export const tabKept = new Store(() => sessionStorage)

export function isObject(found: unknown): found is Record<string, unknown> {
  return typeof found === "object" && found !== null && !Array.isArray(found)
}
