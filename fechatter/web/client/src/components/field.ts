import type { ComputedRef, InjectionKey } from "vue"

/** What a Field tells the control inside it. */
export interface FieldContext {
  id: string
  error: ComputedRef<string | undefined>
  describedBy: ComputedRef<string | undefined>
}

export const fieldKey: InjectionKey<FieldContext> = Symbol("field")
