/** The people in the tests: creates their accounts through the API and signs them in to pages. */

import type { Page } from "playwright-core"

/** A server on which anybody can create a workspace. */
export interface Server {
  readonly url: string
}

export const PASSWORD = "correct horse battery"

type Facts = { email: string; fullname: string } & ({ workspace: string } | { invitation: string })

interface Session {
  access_token: string
  user: { id: number }
  workspace: { id: number; slug: string }
}

/** A person with an account. */
export class Person {
  readonly email: string
  readonly fullname: string
  private readonly server: Server
  private readonly session: Session

  private constructor(server: Server, email: string, fullname: string, session: Session) {
    this.server = server
    this.email = email
    this.fullname = fullname
    this.session = session
  }

  get id(): number {
    return this.session.user.id
  }

  /** Creates the owner of a new workspace. */
  static async owner(server: Server, email: string, fullname: string, workspace: string): Promise<Person> {
    return this.signUp(server, { email, fullname, workspace })
  }

  /** Creates a new member of this person's workspace. */
  async invite(email: string, fullname: string, role = "member"): Promise<Person> {
    const { token } = await this.call<{ token: string }>("POST", "/api/invitations", { role })
    return Person.signUp(this.server, { email, fullname, invitation: token })
  }

  /** Sends one request to the API. Throws on an error response. */
  async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return call<Body>(this.server, method, path, body, this.session.access_token)
  }

  /** Returns the id of the public channel with this name. Creates it with these messages if it does not exist. */
  async channel(name: string, messages: string[] = []): Promise<number> {
    const found = await this.call<{ items: { id: number; name: string }[] }>("GET", `/api/channels?q=${name}`)
    const known = found.items.find(channel => channel.name === name)
    if (known) return known.id
    const chat = await this.call<{ id: number }>("POST", "/api/chat", {
      chat_type: "public_channel",
      name,
      members: [],
    })
    for (const content of messages) await this.call("POST", `/api/chat/${chat.id}/messages`, { content })
    return chat.id
  }

  /** Signs in through the form. Returns when the workspace is shown. */
  async signIn(page: Page): Promise<void> {
    await page.goto("/signin")
    await page.locator("input[type=email]").fill(this.email)
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.locator("button[type=submit]").click()
    await page.locator("nav.sidebar .workspace").waitFor({ state: "attached" })
  }

  /** Signs in without the form, for tests of other pages. */
  async enter(page: Page, path = "/"): Promise<void> {
    const answer = await page.context().request.post(`${this.server.url}/api/signin`, {
      headers: { "X-Requested-With": "fechatter" },
      data: { email: this.email, password: PASSWORD, workspace: this.session.workspace.slug },
    })
    if (!answer.ok()) throw new Error(`signing in: ${answer.status()}`)
    const { slug, id } = this.session.workspace
    await page.addInitScript(
      text => localStorage.setItem("fechatter.workspace", text),
      JSON.stringify({ slug, name: `fechatter-${id}-${this.id}` }),
    )
    await page.goto(path)
    await page.locator("nav.sidebar .workspace").waitFor({ state: "attached" })
  }

  private static async signUp(server: Server, facts: Facts): Promise<Person> {
    const session = await call<Session>(server, "POST", "/api/signup", { ...facts, password: PASSWORD })
    return new Person(server, facts.email, facts.fullname, session)
  }
}

async function call<Body>(server: Server, method: string, path: string, body?: unknown, token?: string): Promise<Body> {
  const answer = await fetch(server.url + path, {
    method,
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as Body
}
