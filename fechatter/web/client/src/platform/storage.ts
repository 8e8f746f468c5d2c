/**
 * The browser's storage, which may be refused, full or missing. Values that it does not store live as long as the page.
 * Nothing here ever throws. No other file uses `localStorage` or `sessionStorage`.
 */

class Store {
  /** The values that the browser did not store. */
  private readonly memory = new Map<string, string>()
  private readonly open: () => Storage

  /** `open` may throw. */
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

  /** Returns a value that was stored as JSON; null if it is missing or not as expected. */
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

/** Shared by all tabs, and kept for later visits. */
export const browserStorage = new Store(() => localStorage)
/** Belongs to this tab. */
export const tabStorage = new Store(() => sessionStorage)

export function isObject(found: unknown): found is Record<string, unknown> {
  return typeof found === "object" && found !== null && !Array.isArray(found)
}
