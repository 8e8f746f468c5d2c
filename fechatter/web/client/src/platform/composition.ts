/**
 * While an input method composes, it uses every key: Enter accepts a word, Escape discards it, the arrows select words.
 * One guard keeps these keys away from all other handlers of the page.
 */

/** The key code for a key that an input method used. In Safari only this code marks the Enter that ends a composition. */
const TAKEN = 229

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN
}

/** Before anything else listens. */
export function guardComposition(): void {
  const guard = (event: KeyboardEvent) => isComposing(event) && event.stopImmediatePropagation()
  for (const kind of ["keydown", "keyup", "keypress"] as const) addEventListener(kind, guard, { capture: true })
}
