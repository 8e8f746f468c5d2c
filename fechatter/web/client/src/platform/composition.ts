/**
 * While an input method composes, every key is its own: Enter takes a word, Escape drops it, the arrows choose among words.
 * One guard in front of all handlers of the page keeps these keys from them.
 */

/** What browsers say of a key that an input method took; in Safari it alone marks the Enter that ends a composition. */
const TAKEN = 229

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN
}

/** Before anything else listens. */
export function guardComposition(): void {
  const guard = (event: KeyboardEvent) => isComposing(event) && event.stopImmediatePropagation()
  for (const kind of ["keydown", "keyup", "keypress"] as const) addEventListener(kind, guard, { capture: true })
}
