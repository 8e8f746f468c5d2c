import { reactive, ref } from "vue"
import { explain, type Explained } from "@/forms/problems"

/** Submits a form: one request at a time, with each error at its field. */
export function useForm(send: () => Promise<void>) {
  const isBusy = ref(false)
  const problem = ref<Explained | null>(null)
  const fields = reactive<Record<string, string>>({})

  async function submit(): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    clear()
    try {
      await send()
    } catch (error) {
      problem.value = explain(error)
      Object.assign(fields, problem.value.fields)
    } finally {
      isBusy.value = false
    }
  }

  function clear(): void {
    problem.value = null
    for (const name of Object.keys(fields)) delete fields[name]
  }

  return { isBusy, problem, fields, submit }
}
