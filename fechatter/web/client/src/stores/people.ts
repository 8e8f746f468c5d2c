/** The people of the workspace. People who are not known yet are loaded on demand. */

import { defineStore } from "pinia"
import { computed } from "vue"
import { call, callWhole } from "@/api/call"
import { seqOf } from "@/api/cursor"
import type { Status, User } from "@/api/nouns"
import { may } from "@/state/rights"
import { applyPeople, type Person } from "@/state/world"
import { useLive } from "@/stores/live"
import { MAX_IDS, MissingPeople } from "@/stores/missingPeople"
import { peopleRequests } from "@/stores/peopleRequests"

export type { Invitation, ResetLink } from "@/stores/peopleRequests"

type MyFacts = Partial<
  Pick<User, "fullname" | "handle" | "timezone" | "language" | "shows_presence" | "sends_receipts">
>

interface Page {
  items: User[]
  next: string | null
}

export const usePeople = defineStore("people", () => {
  const live = useLive()
  const me = computed(() => live.world?.me ?? null)
  const workspace = computed(() => live.world?.workspace ?? null)
  const requests = userRequests()
  const missing = new MissingPeople(requests.loadMany)

  function byId(id: number): Person | undefined {
    return live.world?.people.get(id)
  }

  /** Load the people who are not known yet, such as former members and members of large chats. */
  function ensure(ids: Iterable<number>): void {
    missing.want([...ids].filter(id => byId(id) === undefined && !missing.isRequested(id)))
  }

  /** Load the people of whom only the name is known, because their status is shown. */
  function ensureWhole(ids: Iterable<number>): void {
    missing.want([...ids].filter(id => byId(id)?.role === undefined && !missing.isRequested(id)))
  }

  /**
   * The event for a new person goes to everybody, so it carries no e-mail address. Clients that may see it request it.
   */
  live.follow({
    event(event) {
      const isJoined = event.type === "user.joined"
      if (isJoined && me.value !== null && may("SEE_EMAILS", me.value)) missing.want([event.data.user.id])
    },
    reloaded: () => undefined,
  })

  const { find, page, load } = requests
  return { me, workspace, byId, ensure, ensureWhole, find, page, load, ...myRequests(), ...peopleRequests }
})

/** Requests whose responses are part of the world. All of them throw Problem, Unreachable. */
function userRequests() {
  const live = useLive()

  function take(users: User[], cursor: string | null): void {
    live.change(world => applyPeople(world, users, seqOf(cursor)))
  }

  async function takePage(query: string): Promise<Page> {
    const { body, cursor } = await callWhole<Page>("GET", `/api/users?${query}`)
    take(body.items, cursor)
    return body
  }

  function loadMany(ids: readonly number[]): Promise<Page> {
    return takePage(`limit=${MAX_IDS}&ids=${ids.join(",")}`)
  }

  /** Returns the first people whose name or handle starts with `query`. */
  async function find(query: string, limit = 20): Promise<User[]> {
    return (await takePage(`limit=${limit}&q=${encodeURIComponent(query)}`)).items
  }

  /** Returns a page of all people, ordered by id. */
  function page(next: string | null): Promise<Page> {
    return takePage(`limit=100${next === null ? "" : `&cursor=${encodeURIComponent(next)}`}`)
  }

  /** Load one person completely. A 404 means that the person may not be seen. */
  async function load(id: number): Promise<User> {
    const { body, cursor } = await callWhole<User>("GET", `/api/users/${id}`)
    take([body], cursor)
    return body
  }

  return { loadMany, find, page, load }
}

/** Changes of the person's own account. All of them throw Problem, Unreachable. */
function myRequests() {
  const live = useLive()

  async function changeMe(facts: MyFacts): Promise<void> {
    takeMe(await call<User>("PATCH", "/api/users/me", { body: facts }))
  }

  /** Set or clear the person's own status. */
  async function changeStatus(status: Status | null): Promise<void> {
    if (status === null) takeMe(await call<User>("DELETE", "/api/users/me/status"))
    else takeMe(await call<User>("PUT", "/api/users/me/status", { body: status }))
  }

  function takeMe(facts: Partial<User>): void {
    live.change(world => {
      const me = { ...world.me, ...facts }
      return { ...world, me, people: new Map(world.people).set(me.id, { ...world.people.get(me.id), ...me }) }
    })
  }

  return { changeMe, changeStatus }
}
