/**
 * Loads parts of the client when they are needed. After an update, the server has only the files of the newer client,
 * so an older client cannot load further parts. Then it offers a reload.
 */

import { defineAsyncComponent, type Component } from "vue"

let missing: () => void = () => undefined

/** The handler for a part that could not be loaded. */
export function onMissingPart(handler: () => void): void {
  missing = handler
}

/** Every `import(…)` goes through this function. Throws the error of the import. */
export async function load<Module>(importing: () => Promise<Module>): Promise<Module> {
  try {
    return await importing()
  } catch (error) {
    missing()
    throw error
  }
}

/** A component in its own chunk; if it cannot be loaded, nothing is shown in its place. */
export function lazy<Loaded extends Component>(importing: () => Promise<{ default: Loaded }>): Loaded {
  return defineAsyncComponent<Loaded>(page(importing))
}

/** A page in its own chunk; if it cannot be loaded, the reader stays on the current page. */
export function page<Loaded extends Component>(importing: () => Promise<{ default: Loaded }>): () => Promise<Loaded> {
  return () =>
    load(importing).then(
      loaded => loaded.default,
      // The handler has offered a reload.
      () => new Promise<never>(() => undefined),
    )
}
