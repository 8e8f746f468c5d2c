/** The members of one chat, page by page. They are loaded again when the membership changes. */

import { computed, onScopeDispose, ref, shallowRef, watch } from "vue"
import type { Member } from "@/api/nouns"
import { useChats } from "@/stores/chats"
import { usePeople } from "@/stores/people"

const PAUSE_MS = 250
const MAX_FILTERED = 2000

export function useMembers(chatId: () => number) {
  const chats = useChats()
  const list = new MemberList(chatId)
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Changes when somebody joins or leaves, or when the owner changes. */
  const facts = computed(() => {
    const chat = chats.byId(chatId())
    return chat === undefined ? null : `${chat.id} ${chat.member_count} ${chat.owner_id} ${chat.members.length}`
  })

  watch(chatId, () => list.clear())
  watch(
    facts,
    (now, before) => {
      clearTimeout(timer)
      if (now === null) return
      if (before === undefined) void list.reload()
      else timer = setTimeout(() => void list.reload(), PAUSE_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => (list.cancel(), clearTimeout(timer)))

  const { members, next, isLoading, problem, reload, more, rest } = list
  return { members, hasMore: computed(() => next.value !== null), isLoading, problem, reload, more, rest }
}

class MemberList {
  readonly members = shallowRef<Member[]>([])
  readonly next = ref<string | null>(null)
  readonly isLoading = ref(false)
  readonly problem = shallowRef<unknown>(null)
  private readonly chats = useChats()
  private readonly people = usePeople()
  private readonly chatId: () => number
  /** Counts loads. A response to an earlier load is dropped. */
  private generation = 0

  constructor(chatId: () => number) {
    this.chatId = chatId
  }

  /** Load as many members as before, from the beginning. The loaded members are shown until then. */
  readonly reload = async (): Promise<void> => {
    const wanted = Math.max(1, this.members.value.length)
    await this.load([], null, loaded => loaded.length < wanted)
  }

  readonly more = async (): Promise<void> => {
    await this.loadNext(() => false)
  }

  /** Load all further members, up to a limit, so that a filter finds them. */
  readonly rest = async (): Promise<void> => {
    await this.loadNext(loaded => loaded.length < MAX_FILTERED)
  }

  clear(): void {
    this.members.value = []
    this.next.value = null
  }

  cancel(): void {
    this.generation += 1
  }

  private async loadNext(goesOn: (loaded: Member[]) => boolean): Promise<void> {
    const { members, next, isLoading } = this
    if (next.value !== null && !isLoading.value) await this.load(members.value, next.value, goesOn)
  }

  private async load(before: Member[], from: string | null, goesOn: (loaded: Member[]) => boolean): Promise<void> {
    const mine = (this.generation += 1)
    this.isLoading.value = true
    try {
      let [loaded, cursor]: [Member[], string | null] = [before, from]
      do {
        const page = await this.chats.members(this.chatId(), cursor)
        if (mine !== this.generation) return
        loaded = [...loaded, ...page.items]
        cursor = page.next
      } while (cursor !== null && goesOn(loaded))
      this.take(loaded, cursor)
    } catch (error) {
      if (mine === this.generation) this.problem.value = error
    } finally {
      if (mine === this.generation) this.isLoading.value = false
    }
  }

  private take(loaded: Member[], cursor: string | null): void {
    this.people.ensureWhole(loaded.map(member => member.user_id))
    this.members.value = loaded
    this.next.value = cursor
    this.problem.value = null
  }
}
