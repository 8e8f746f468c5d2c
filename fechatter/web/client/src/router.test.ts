import { beforeEach, expect, test } from "vitest"
import { begin, type Session } from "@/api/token"
import { router } from "@/router"

const session = {
  access_token: "token",
  expires_in: 900,
  user: { id: 1 },
  workspace: { id: 1, slug: "acme" },
} as Session

beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})

test("an address that nothing answers leads home, and a stranger to the door", async () => {
  await router.push("/no/such/place")
  expect(router.currentRoute.value.fullPath).toBe("/signin")
})

test("a stranger comes afterwards where they wanted to go", async () => {
  await router.push("/settings/language")
  expect(router.currentRoute.value.query["next"]).toBe("/settings/language")
})

test("who is signed in goes in", async () => {
  begin(session)
  await router.push("/settings/language")
  expect(router.currentRoute.value.params["section"]).toBe("language")
})
