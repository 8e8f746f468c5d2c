/** Saves the shown state for the next visit, so that it starts at once and works without a network. */

import type { Sync } from "@/api/nouns"
import type { Database } from "@/offline/database"
import { useLive } from "@/stores/live"
import { useMessages } from "@/stores/messages"

const MAX_AGE_MS = 30 * 24 * 3600 * 1000

/** Show the saved state, unless it is too old. */
export async function showSaved(database: Database): Promise<void> {
  const saved = await database.get("world", "last")
  if (saved === undefined || Date.now() - saved.savedAtMs > MAX_AGE_MS) return
  const timelines = await database.getAll("timelines")
  // The chats appear after their messages, because opening a chat without messages would request them from the server.
  const messages = useMessages()
  for (const timeline of timelines) messages.show(timeline.chatId, timeline.messages, timeline.hasOlder)
  useLive().show(saved.sync, saved.people)
}

/** Save the shown state. */
export async function saveShown(database: Database): Promise<void> {
  const { world, isKept } = useLive()
  if (world === null || isKept) return
  const sync: Sync = {
    cursor: world.cursor,
    me: world.me,
    workspace: world.workspace,
    chats: [...world.chats.values()],
  }
  const savedAtMs = Date.now()
  const change = database.transaction(["world", "timelines"], "readwrite")
  const timelines = change.objectStore("timelines")
  await Promise.all([
    change.objectStore("world").put({ sync, people: [...world.people.values()], savedAtMs }, "last"),
    timelines.clear(),
    ...useMessages()
      .newestPages()
      .map(({ chatId, items, hasOlder }) => timelines.put({ chatId, messages: [...items], hasOlder, savedAtMs })),
    change.done,
  ])
}

/** Delete the saved state. Drafts and waiting messages stay for the person's next session. */
export async function forgetShown(database: Database): Promise<void> {
  await Promise.all([database.clear("world"), database.clear("timelines")])
}
