/** Writing to one person. */

import { singleWith } from "@/chats/lists"
import { useChats } from "@/chats/store"
import { useLive } from "@/live/store"
import { newKey } from "@/messages/key"

/** The id of the chat of two with somebody: the one there is, or a new one. Throws Problem, Unreachable. */
export async function writeTo(userId: number): Promise<number> {
  const { world } = useLive()
  const known = world === null ? undefined : singleWith(world, userId)
  if (known !== undefined) return known.id
  const { chat } = await useChats().create({ chat_type: "single", members: [userId] }, newKey())
  return chat.id
}
