/**
 * Parts of the client that are loaded when they are needed. After an update the server has the files of the newer client only,
 * so what was not loaded yet cannot be loaded by the older one: then a reload is offered.
 */

import { defineAsyncComponent, type Component } from "vue"

let missing: () => void = () => undefined

/** What is done when a part could not be loaded. */
export function onMissingPart(handler: () => void): void {
  missing = handler
}

/** All `import(…)` go through here. Throws what the import throws. */
export async function load<Module>(importing: () => Promise<Module>): Promise<Module> {
  try {
    return await importing()
  } catch (error) {
    missing()
    throw error
  }
}

/** A component of a chunk of its own; where it cannot be loaded, nothing is in its place. */
export function lazy<Loaded extends Component>(importing: () => Promise<{ default: Loaded }>): Loaded {
  return defineAsyncComponent<Loaded>(page(importing))
}

/** A page of a chunk of its own; where it cannot be loaded, the reader stays where they are. */
export function page<Loaded extends Component>(importing: () => Promise<{ default: Loaded }>): () => Promise<Loaded> {
  return () =>
    load(importing).then(
      loaded => loaded.default,
      // The reload is offered by then.
      () => new Promise<never>(() => undefined),
    )
}
