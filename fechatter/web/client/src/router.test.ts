import { beforeEach, expect, test } from "vitest"
import { type Session, setSession } from "@/api/token"
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

test("an unknown address leads to the home page, and without a session to the sign-in page", async () => {
  await router.push("/no/such/place")
  expect(router.currentRoute.value.fullPath).toBe("/signin")
})

test("after signing in, a person reaches the page that they wanted", async () => {
  await router.push("/settings/language")
  expect(router.currentRoute.value.query["next"]).toBe("/settings/language")
})

test("a person with a session reaches the page", async () => {
  setSession(session)
  await router.push("/settings/language")
  expect(router.currentRoute.value.params["section"]).toBe("language")
})
