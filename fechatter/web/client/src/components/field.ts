import type { ComputedRef, InjectionKey } from "vue"

/** The facts that a Field provides to the control inside it. */
export interface FieldContext {
  id: string
  error: ComputedRef<string | undefined>
  describedBy: ComputedRef<string | undefined>
}

export const fieldKey: InjectionKey<FieldContext> = Symbol("field")
