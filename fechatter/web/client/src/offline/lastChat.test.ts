import { beforeEach, expect, test } from "vitest"
import { type Session, setSession } from "@/api/token"
import { forgetLastChat, setLastChat, takeLastChat, wantLastChat } from "@/offline/lastChat"

function signIn(userId: number): void {
  setSession({ access_token: "t", user: { id: userId }, workspace: { id: 1, slug: "acme" } } as Session)
}

beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})

test("after signing in, the last chat opens once", () => {
  signIn(1)
  setLastChat(7)
  expect(takeLastChat()).toBe(null)
  wantLastChat()
  expect([takeLastChat(), takeLastChat()]).toEqual([7, null])
})

test("signing out leaves nothing in the browser, and each person has their own last chat", () => {
  signIn(2)
  setLastChat(8)
  forgetLastChat("fechatter-1-2")
  expect(Object.keys(localStorage)).toEqual(["fechatter.workspace"])
  signIn(3)
  wantLastChat()
  expect(takeLastChat()).toBe(null)
  signIn(2)
  wantLastChat()
  expect(takeLastChat()).toBe(8)
})
