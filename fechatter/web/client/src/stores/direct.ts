/** Direct chats between two people. */

import { newKey } from "@/api/key"
import { singleWith } from "@/state/lists"
import { useChats } from "@/stores/chats"
import { useLive } from "@/stores/live"

/** Returns the id of the direct chat with a person; creates the chat if there is none. Throws Problem, Unreachable. */
export async function directChatWith(userId: number): Promise<number> {
  const { world } = useLive()
  const known = world === null ? undefined : singleWith(world, userId)
  if (known !== undefined) return known.id
  const { chat } = await useChats().create({ chat_type: "single", members: [userId] }, newKey())
  return chat.id
}
