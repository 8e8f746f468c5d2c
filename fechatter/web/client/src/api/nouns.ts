/** The server's nouns, as its contract gives them. */

export type Role = "owner" | "admin" | "member" | "guest"
export type ChatType = "single" | "group" | "private_channel" | "public_channel"

export interface UserSummary {
  id: number
  handle: string
  fullname: string
  avatar_url: string | null
}

export interface User extends UserSummary {
  kind: string
  role: Role
  created_at: string
  disabled: boolean
  email?: string
  timezone?: string | null
  language?: string | null
}

export interface Workspace {
  id: number
  slug: string
  name: string
  created_at: string
}

export interface Message {
  id: number
  chat_id: number
  number: number
  sender_id: number
  content: string
  revision: number
  created_at: string
  edited_at: string | null
  deleted_at: string | null
  idempotency_key?: string
}

export interface Chat {
  id: number
  chat_type: ChatType
  name: string | null
  description: string
  owner_id: number
  member_count: number
  members: UserSummary[]
  created_at: string
  updated_at: string
  archived_at: string | null
  last_number: number
  last_message: Message | null
  last_read_number: number
  unread_count: number
}

export interface Member {
  user_id: number
  role: "owner" | "member"
  joined_at: string
}

export interface Sync {
  cursor: string
  me: User
  workspace: Workspace
  chats: Chat[]
}

export interface MessagePage {
  items: Message[]
  has_older: boolean
  has_newer: boolean
}
