/** The members of one chat, page by page, loaded again when something of them changes. */

import { computed, onScopeDispose, ref, shallowRef, watch } from "vue"
import type { Member } from "@/api/nouns"
import { useChats } from "@/stores/chats"
import { usePeople } from "@/stores/people"

const PAUSE_MS = 250
const MAX_FILTERED = 2000

export function useMembers(chatId: () => number) {
  const chats = useChats()
  const people = usePeople()
  const members = shallowRef<Member[]>([])
  const next = ref<string | null>(null)
  const isLoading = ref(false)
  const problem = shallowRef<unknown>(null)
  let generation = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  /** What changes when somebody comes, goes or becomes its owner. */
  const facts = computed(() => {
    const chat = chats.byId(chatId())
    return chat === undefined ? null : `${chat.id} ${chat.member_count} ${chat.owner_id} ${chat.members.length}`
  })

  /** Load as many as were there, from the beginning; the old ones are shown until then. */
  async function reload(): Promise<void> {
    const wanted = Math.max(1, members.value.length)
    await load([], null, loaded => loaded.length < wanted)
  }

  async function more(): Promise<void> {
    if (next.value !== null && !isLoading.value) await load(members.value, next.value, () => false)
  }

  /** All of them, as far as that is sensible, so that a filter finds them. */
  async function rest(): Promise<void> {
    if (next.value !== null && !isLoading.value)
      await load(members.value, next.value, loaded => loaded.length < MAX_FILTERED)
  }

  async function load(before: Member[], from: string | null, goesOn: (loaded: Member[]) => boolean): Promise<void> {
    const mine = (generation += 1)
    isLoading.value = true
    try {
      let [loaded, cursor]: [Member[], string | null] = [before, from]
      do {
        const page = await chats.members(chatId(), cursor)
        if (mine !== generation) return
        loaded = [...loaded, ...page.items]
        cursor = page.next
      } while (cursor !== null && goesOn(loaded))
      take(loaded, cursor)
    } catch (error) {
      if (mine === generation) problem.value = error
    } finally {
      if (mine === generation) isLoading.value = false
    }
  }

  function take(loaded: Member[], cursor: string | null): void {
    people.ensure(loaded.map(member => member.user_id))
    members.value = loaded
    next.value = cursor
    problem.value = null
  }

  watch(chatId, () => ((members.value = []), (next.value = null)))
  watch(
    facts,
    (now, before) => {
      clearTimeout(timer)
      if (now === null) return
      if (before === undefined) void reload()
      else timer = setTimeout(() => void reload(), PAUSE_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => ((generation += 1), clearTimeout(timer)))

  return { members, hasMore: computed(() => next.value !== null), isLoading, problem, reload, more, rest }
}
