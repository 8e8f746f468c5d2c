/** Locks between tabs. If the browser lacks locks (pages without https) or refuses them, work runs at once. */

/** Run `work` while no other tab runs work of the same name. Throws the error of `work`. */
export async function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const locks = lockManager()
  if (locks === undefined) return work()
  let begun: Promise<Result> | undefined
  try {
    return await locks.request(name, () => (begun = work()))
  } catch (error) {
    if (begun === undefined) return work()
    throw error
  }
}

export function lockManager(): LockManager | undefined {
  try {
    return navigator.locks
  } catch {
    return undefined
  }
}
