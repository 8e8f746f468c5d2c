/** Searches people while the person types. The request follows a pause, and only the newest response is used. */

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue"
import type { User } from "@/api/nouns"
import { usePeople } from "@/stores/people"

const PAUSE_MS = 150

export function usePeopleSearch(query: Ref<string>, limit: number) {
  const people = usePeople()
  const found = shallowRef<User[]>([])
  const isLoading = ref(true)
  const problem = shallowRef<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let newest = 0

  async function ask(): Promise<void> {
    const mine = (newest += 1)
    try {
      const response = await people.find(query.value.trim().replace(/^@/u, ""), limit)
      if (mine !== newest) return
      found.value = response
      problem.value = null
    } catch (error) {
      if (mine === newest) problem.value = error
    } finally {
      if (mine === newest) isLoading.value = false
    }
  }

  watch(query, () => {
    isLoading.value = true
    newest += 1
    clearTimeout(timer)
    timer = setTimeout(() => void ask(), PAUSE_MS)
  })
  onScopeDispose(() => ((newest += 1), clearTimeout(timer)))
  void ask()
  return { found, isLoading, problem, again: ask }
}
