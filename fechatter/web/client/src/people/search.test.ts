import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { effectScope, nextTick, ref } from "vue"
import type { User } from "@/api/nouns"
import { usePeopleSearch } from "@/people/search"
import { usePeople } from "@/stores/people"

const person = (fullname: string) => ({ id: 1, fullname }) as User

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
})
afterEach(() => vi.useRealTimers())

test("the matches of the latest query are shown, even if an earlier response arrives later", async () => {
  const answers = new Map<string, (found: User[]) => void>()
  const find = vi.spyOn(usePeople(), "find").mockImplementation(query => new Promise(done => answers.set(query, done)))
  const query = ref("")
  const scope = effectScope()
  const search = scope.run(() => usePeopleSearch(query, 20))!
  query.value = "@a"
  await nextTick()
  await vi.advanceTimersByTimeAsync(200)
  query.value = "ad"
  await nextTick()
  query.value = "ada"
  await nextTick()
  await vi.advanceTimersByTimeAsync(200)
  expect(find.mock.calls.map(([asked]) => asked)).toEqual(["", "a", "ada"])
  answers.get("ada")!([person("Ada")])
  await nextTick()
  answers.get("a")!([person("Alan")])
  await nextTick()
  expect(search.found.value.map(user => user.fullname)).toEqual(["Ada"])
  expect(search.isLoading.value).toBe(false)
  scope.stop()
})
