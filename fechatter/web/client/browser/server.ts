/** The real server, as an operator starts it: a process on a free port, with temporary data. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dirname, "../../../..")
const START_MS = 120_000
const STOP_MS = 60_000

export class Server {
  readonly url: string
  private readonly folder: string
  private readonly settings: Record<string, string>
  private process: ChildProcess | undefined
  private output = ""

  private constructor(port: number, folder: string, settings: Record<string, string>) {
    this.url = `http://127.0.0.1:${port}`
    this.folder = folder
    this.settings = { port: String(port), data_dir: join(folder, "data"), rate_limits: "off", ...settings }
  }

  /** Starts a server with these settings, by their keys. */
  static async make(settings: Record<string, string> = {}): Promise<Server> {
    const made = new Server(await freePort(), await mkdtemp(join(tmpdir(), "fechatter-browser-")), settings)
    await made.start()
    return made
  }

  /** The secret in the set-up link that the server printed. */
  get setupToken(): string {
    const found = /\/setup#token=(\S+)/u.exec(this.output)
    if (!found) throw new Error(`no set-up link in: ${this.output}`)
    return found[1]!
  }

  /** The path of the SQLite file. */
  get database(): string {
    return join(this.folder, "data", "fechatter.db")
  }

  async start(): Promise<void> {
    const variables = Object.entries(this.settings).map(([key, value]) => [`FECHATTER_${key.toUpperCase()}`, value])
    const child = spawn(join(ROOT, ".venv/bin/python"), ["-m", "fechatter", "serve"], {
      cwd: ROOT,
      env: { ...process.env, PYTHONPATH: ROOT, ...Object.fromEntries(variables) },
      stdio: ["ignore", "pipe", "pipe"],
    })
    const collect = (text: Buffer) => (this.output += text.toString())
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    this.process = child
    const deadline = Date.now() + START_MS
    while (!(this.output.includes(`Fechatter is at ${this.url}`) && (await this.answers()))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start: ${this.output}`)
      await new Promise(done => setTimeout(done, 50))
    }
  }

  /** Ends the process as a power cut does. */
  async kill(): Promise<void> {
    await this.end("SIGKILL")
  }

  async restart(): Promise<void> {
    this.output = ""
    await this.start()
  }

  /** Stops the server and deletes its data. */
  async stop(): Promise<void> {
    await this.end("SIGTERM")
    await rm(this.folder, { recursive: true, force: true })
  }

  private async answers(): Promise<boolean> {
    return fetch(`${this.url}/health/simple`).then(
      answer => answer.ok,
      () => false,
    )
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null) return
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS)
    child.kill(signal)
    await once(child, "exit")
    clearTimeout(late)
  }
}

/** Returns a description of the machine in one line. */
export function machine(): string {
  const print = "from fechatter.bench.machine import machine; print(machine())"
  return execFileSync(join(ROOT, ".venv/bin/python"), ["-c", print], {
    cwd: ROOT,
    env: { ...process.env, PYTHONPATH: ROOT },
    encoding: "utf8",
  }).trim()
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, "close")
  return port
}
