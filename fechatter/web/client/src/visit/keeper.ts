/** Keeps what is shown for the next visit, so that it begins at once and can be read without a network. */

import type { Sync } from "@/api/nouns"
import type { Database } from "@/offline/database"
import { useLive } from "@/stores/live"
import { useMessages } from "@/stores/messages"

const MAX_AGE_MS = 30 * 24 * 3600 * 1000

/** Show what an earlier visit kept, if it is not too old. */
export async function showKept(database: Database): Promise<void> {
  const kept = await database.get("world", "last")
  if (kept === undefined || Date.now() - kept.savedAtMs > MAX_AGE_MS) return
  const timelines = await database.getAll("timelines")
  // The chats appear after their messages, because opening a chat without messages would request them from the server.
  const messages = useMessages()
  for (const timeline of timelines) messages.show(timeline.chatId, timeline.messages, timeline.hasOlder)
  useLive().show(kept.sync, kept.people)
}

/** Keep what is shown now, in place of what was kept. */
export async function keepShown(database: Database): Promise<void> {
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

/** Forget what was shown; what the person wrote stays for their next session. */
export async function forgetShown(database: Database): Promise<void> {
  await Promise.all([database.clear("world"), database.clear("timelines")])
}
