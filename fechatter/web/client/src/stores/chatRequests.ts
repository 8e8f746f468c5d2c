/** Requests about chats that change no state here; events bring their effect. */

import { allItems, call } from "@/api/call"
import type { Channel, Member } from "@/api/nouns"

/** All of them throw Problem, Unreachable. */
export const chatRequests = {
  async remove(id: number): Promise<void> {
    await call("DELETE", `/api/chat/${id}`)
  },

  async leave(id: number): Promise<void> {
    await call("POST", `/api/chat/${id}/leave`)
  },

  /** Returns the public channels of the workspace, joined or not. */
  channels(query: string): Promise<Channel[]> {
    return allItems<Channel>(`/api/channels?q=${encodeURIComponent(query)}`, 200)
  },

  /** Returns a page of members, ordered by id, and the cursor of the next page. */
  members(id: number, next: string | null): Promise<{ items: Member[]; next: string | null }> {
    const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`
    return call("GET", `/api/chat/${id}/members?limit=100${cursor}`)
  },

  async addMembers(id: number, userIds: number[]): Promise<void> {
    await call("POST", `/api/chat/${id}/members`, { body: { members: userIds } })
  },

  async removeMember(id: number, userId: number): Promise<void> {
    await call("DELETE", `/api/chat/${id}/members/${userId}`)
  },

  /** Make another member the owner. */
  async transfer(id: number, userId: number): Promise<void> {
    await call("PATCH", `/api/chat/${id}/members/${userId}`, { body: { role: "owner" } })
  },
}
