import type { Role } from "@/api/nouns"
import { type Key, t } from "@/i18n"

const NAMES: Record<Role, Key> = {
  owner: "session.roleOwner",
  admin: "session.roleAdmin",
  member: "session.roleMember",
  guest: "session.roleGuest",
}

export function roleName(role: Role): string {
  return t(NAMES[role])
}
