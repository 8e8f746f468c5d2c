/** Returns the named methods of an object, bound to it, so that a store can return them. */
export function bound<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  names: readonly Name[],
): Pick<Owner, Name> {
  const pairs = names.map(name => [name, (owner[name] as (...args: never[]) => unknown).bind(owner)])
  return Object.fromEntries(pairs) as Pick<Owner, Name>
}
