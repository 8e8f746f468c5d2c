/** Loads people whose data is not known yet: each person once, many in one request. */

/** The limit of the server for one request. */
export const MAX_IDS = 50

export class MissingPeople {
  private readonly requested = new Set<number>()
  private wanted = new Set<number>()
  private readonly load: (ids: readonly number[]) => Promise<unknown>

  /** `load` gets at most 50 ids. */
  constructor(load: (ids: readonly number[]) => Promise<unknown>) {
    this.load = load
  }

  isRequested(id: number): boolean {
    return this.requested.has(id)
  }

  want(ids: readonly number[]): void {
    const isFirst = this.wanted.size === 0
    ids.forEach(id => this.wanted.add(id))
    if (isFirst && this.wanted.size > 0) setTimeout(() => void this.loadAll())
  }

  private async loadAll(): Promise<void> {
    const ids = [...this.wanted].slice(0, MAX_IDS)
    this.wanted = new Set([...this.wanted].slice(MAX_IDS))
    ids.forEach(id => this.requested.add(id))
    try {
      await this.load(ids)
    } catch {
      // The next list that shows these people requests them again. Until then they have no name.
      ids.forEach(id => this.requested.delete(id))
    }
    if (this.wanted.size > 0) await this.loadAll()
  }
}
