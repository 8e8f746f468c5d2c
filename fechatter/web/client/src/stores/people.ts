/** The people of the workspace: as far as they were met, and by asking. */

import { defineStore } from "pinia"
import { computed } from "vue"
import { all, call, callWhole } from "@/api/call"
import type { Role, User, Workspace } from "@/api/nouns"
import { may } from "@/state/rights"
import { seqOf } from "@/api/cursor"
import { useLive } from "@/stores/live"
import { takePeople, type Person } from "@/state/world"

const MOST = 50

interface Page {
  items: User[]
  next: string | null
}

export interface Invitation {
  id: number
  email: string | null
  role: Role
  created_by: number
  created_at: string
  expires_at: string
  max_uses: number
  uses: number
  token?: string
  url?: string
}

export interface NewInvitation {
  email?: string
  role?: Role
  expires_in_seconds?: number
  max_uses?: number
}

export interface ResetLink {
  url: string
  expires_at: string
}

export const usePeople = defineStore("people", () => {
  const live = useLive()
  const asked = new Set<number>()
  let wanted = new Set<number>()

  const me = computed(() => live.world?.me ?? null)
  const workspace = computed(() => live.world?.workspace ?? null)

  function byId(id: number): Person | undefined {
    return live.world?.people.get(id)
  }

  /** Ask for people nobody told of yet (former members, those of large chats), each once and many at a time. */
  function ensure(ids: Iterable<number>): void {
    want([...ids].filter(id => byId(id) === undefined && !asked.has(id)))
  }

  function want(ids: readonly number[]): void {
    const isFirst = wanted.size === 0
    ids.forEach(id => wanted.add(id))
    if (isFirst && wanted.size > 0) setTimeout(() => void ask())
  }

  /** The event for a new person goes to everybody, so it carries no e-mail address. Clients that may see it request it. */
  live.follow({
    event(event) {
      if (event.type === "user.joined" && me.value !== null && may("SEE_EMAILS", me.value)) want([event.data.user.id])
    },
    reloaded: () => undefined,
  })

  async function ask(): Promise<void> {
    const ids = [...wanted].slice(0, MOST)
    wanted = new Set([...wanted].slice(MOST))
    ids.forEach(id => asked.add(id))
    try {
      take(await callWhole<Page>("GET", `/api/users?limit=${MOST}&ids=${ids.join(",")}`))
    } catch {
      // Asked again with the next list that shows them; until then they have no name.
      ids.forEach(id => asked.delete(id))
    }
    if (wanted.size > 0) await ask()
  }

  function take(answer: { body: Page; cursor: string | null }): User[] {
    live.change(world => takePeople(world, answer.body.items, seqOf(answer.cursor)))
    return answer.body.items
  }

  /** The first people whose name or handle begins so. Throws Problem, Unreachable. */
  async function find(query: string, limit = 20): Promise<User[]> {
    return take(await callWhole<Page>("GET", `/api/users?limit=${limit}&q=${encodeURIComponent(query)}`))
  }

  /** A page of everybody, by id. */
  async function page(next: string | null): Promise<Page> {
    const answer = await callWhole<Page>(
      "GET",
      `/api/users?limit=100${next === null ? "" : `&cursor=${encodeURIComponent(next)}`}`,
    )
    take(answer)
    return answer.body
  }

  /** One person whole. Throws Problem (404: not to be seen). */
  async function load(id: number): Promise<User> {
    const answer = await callWhole<User>("GET", `/api/users/${id}`)
    live.change(world => takePeople(world, [answer.body], seqOf(answer.cursor)))
    return answer.body
  }

  async function changeMe(facts: Partial<Pick<User, "fullname" | "handle" | "timezone" | "language">>): Promise<void> {
    const user = await call<User>("PATCH", "/api/users/me", { body: facts })
    live.change(world => ({ ...world, me: { ...world.me, ...user } }))
  }

  async function changePerson(id: number, facts: { role?: Role; disabled?: boolean }): Promise<void> {
    await call("PATCH", `/api/users/${id}`, { body: facts })
  }

  async function changeWorkspace(facts: Partial<Pick<Workspace, "name" | "default_chat_id">>): Promise<void> {
    await call("PATCH", "/api/workspace", { body: facts })
  }

  async function invite(wanted: NewInvitation): Promise<Invitation> {
    return call<Invitation>("POST", "/api/invitations", { body: wanted })
  }

  async function invitations(): Promise<Invitation[]> {
    return all<Invitation>("/api/invitations")
  }

  async function revokeInvitation(id: number): Promise<void> {
    await call("DELETE", `/api/invitations/${id}`)
  }

  async function createResetLink(id: number): Promise<ResetLink> {
    return call<ResetLink>("POST", `/api/users/${id}/password-reset`)
  }

  return {
    me,
    workspace,
    byId,
    ensure,
    find,
    page,
    load,
    changeMe,
    changePerson,
    changeWorkspace,
    invite,
    invitations,
    revokeInvitation,
    createResetLink,
  }
})
