import { expect, test } from "vitest"
import { router } from "@/router"

test("an address that nothing answers leads home", async () => {
  await router.push("/no/such/place")
  expect(router.currentRoute.value.fullPath).toBe("/")
})
