import { expect, test } from "vitest"
import { Problem, Unreachable } from "@/api/http"
import { explain, refusalText } from "@/forms/problems"

test("a stable code has a text of its own, at the field that it implies", () => {
  const found = explain(new Problem(409, { code: "email_taken", request_id: "7" }))
  expect(found.fields["email"]).toBe(found.text)
  expect(found.text).toContain("e-mail")
  expect(found.requestId).toBe("7")
})

test("each invalid value has an error at its field", () => {
  const errors = [
    { pointer: "/email", code: "invalid_email", detail: "" },
    { pointer: "/password", code: "too_short", detail: "" },
    { pointer: "/fullname", code: "something_new", detail: "" },
  ]
  expect(Object.keys(explain(new Problem(422, { code: "invalid", errors })).fields)).toEqual([
    "email",
    "password",
    "fullname",
  ])
})

test("the text of a limit contains the seconds, and an unknown error contains its code", () => {
  expect(explain(new Problem(429, { code: "rate_limited" }, null, 30)).text).toContain("30")
  expect(explain(new Problem(418, { code: "teapot" })).text).toContain("teapot")
  expect(explain(new Problem(500, {})).text).toContain("server")
})

test("without a response, the text names the connection", () => {
  expect(explain(new Unreachable(null)).text).toContain("Can't reach the server")
})

test("text that the database cannot store has its own explanation, at a field and at a message", () => {
  const errors = [{ pointer: "/name", code: "not_storable", detail: "" }]
  const { fields } = explain(new Problem(422, { code: "invalid", errors }))
  expect(fields["name"]).toContain("can't store")
  expect(refusalText({ code: "not_storable", detail: "" })).toBe(fields["name"])
  expect(refusalText({ code: "something_new", detail: "No." })).toBe("No.")
})
