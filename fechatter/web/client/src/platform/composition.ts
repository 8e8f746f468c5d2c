/**
 * While an input method composes, it uses every key: Enter accepts a word, Escape discards it, arrow keys select words.
 * A guard keeps these keys away from all other handlers of the page.
 */

/** The code of a key that an input method used. In Safari, only this code marks the Enter that ends a composition. */
const TAKEN = 229

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN
}

/** Call this before any other code adds listeners for keys. */
export function guardComposition(): void {
  const guard = (event: KeyboardEvent) => isComposing(event) && event.stopImmediatePropagation()
  for (const kind of ["keydown", "keyup", "keypress"] as const) addEventListener(kind, guard, { capture: true })
}
