/** Requests about people and invitations that change no state here; events bring their effect. */

import { allItems, call } from "@/api/call"
import type { Role, Workspace } from "@/api/nouns"

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

/** All of them throw Problem, Unreachable. */
export const peopleRequests = {
  async changePerson(id: number, facts: { role?: Role; disabled?: boolean }): Promise<void> {
    await call("PATCH", `/api/users/${id}`, { body: facts })
  },

  async changeWorkspace(facts: Partial<Pick<Workspace, "name" | "default_chat_id">>): Promise<void> {
    await call("PATCH", "/api/workspace", { body: facts })
  },

  createResetLink(id: number): Promise<ResetLink> {
    return call<ResetLink>("POST", `/api/users/${id}/password-reset`)
  },

  invite(wanted: NewInvitation): Promise<Invitation> {
    return call<Invitation>("POST", "/api/invitations", { body: wanted })
  },

  invitations(): Promise<Invitation[]> {
    return allItems<Invitation>("/api/invitations")
  },

  async revokeInvitation(id: number): Promise<void> {
    await call("DELETE", `/api/invitations/${id}`)
  },
}
