/**
 * The browser's database of one person: waiting messages, drafts, and the state that was shown last.
 *
 * Each person has a database of their own, which signing out deletes. If the browser stores nothing, as in private
 * windows, `openDatabase` fails and the client works from memory.
 */

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb"
import type { Message, Sync } from "@/api/nouns"
import type { Waiting } from "@/state/waiting"
import type { Person } from "@/state/world"

const VERSION = 1
/** Some browsers never respond, and the page must not wait for them. */
const OPEN_MS = 3000

/** The workspace as it was shown last. */
export interface KeptWorld {
  sync: Sync
  people: Person[]
  savedAtMs: number
}

export interface KeptTimeline {
  chatId: number
  messages: Message[]
  hasOlder: boolean
  savedAtMs: number
}

interface Schema extends DBSchema {
  waiting: { key: string; value: Waiting }
  drafts: { key: number; value: string }
  world: { key: string; value: KeptWorld }
  timelines: { key: number; value: KeptTimeline }
}

export type Database = IDBPDatabase<Schema>

/** Throws DOMException if the browser stores nothing. */
export async function openDatabase(name: string): Promise<Database> {
  const opening = openDB<Schema>(name, VERSION, {
    upgrade(created) {
      created.createObjectStore("waiting", { keyPath: "key" })
      created.createObjectStore("drafts")
      created.createObjectStore("world")
      created.createObjectStore("timelines", { keyPath: "chatId" })
    },
    // Another tab deletes the database, so this tab must close it.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  })
  const database = await Promise.race([opening, later(OPEN_MS)])
  if (database !== undefined) return database
  void opening.then(late => late.close()).catch(() => undefined)
  throw new DOMException("the database does not open", "TimeoutError")
}

function later(milliseconds: number): Promise<undefined> {
  return new Promise(done => setTimeout(() => done(undefined), milliseconds))
}

/** Delete the person's database. */
export async function wipe(name: string): Promise<void> {
  try {
    await deleteDB(name)
  } catch (error) {
    console.warn("This browser has no database:", error)
  }
}
