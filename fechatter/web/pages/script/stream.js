/**
 * The live stream: reads `/events`, goes on from its cursor after every break, and says honestly how it stands.
 *
 * The cursor moves only after a frame was taken, so that a frame that was not taken comes again.
 */

import { openStream } from "./api.js";
import { Unreachable } from "./http.js";
import { SignedOut } from "./session.js";
import { BlockReader } from "./sse.js";
import { Pause, pauseMs } from "./wait.js";

const CONNECT_MS = 15_000;
const FIRST_SILENCE_MS = 30_000;

export class LiveStream {
  #cursor;
  #pause = new Pause();
  #abort = null;
  #failures = 0;
  #silenceMs = FIRST_SILENCE_MS;
  #handlers;
  #needsReload = false;

  /**
   * `handlers`: `frame(event, data)` takes one frame, `reload()` loads everything anew and returns its cursor,
   * `state(name, untilMs)` is told `connecting`, `live` or `waiting`, `signedOut()` ends it. The first two may be async.
   */
  constructor(cursor, handlers) {
    this.#cursor = cursor;
    this.#handlers = handlers;
  }

  /** Runs until the session ends. */
  async run() {
    for (;;) {
      this.#handlers.state("connecting");
      const error = await this.#tryOnce();
      if (error instanceof SignedOut) return this.#handlers.signedOut();
      this.#failures += 1;
      const wait = pauseMs(this.#failures, error?.retryAfterSeconds);
      this.#handlers.state("waiting", Date.now() + wait);
      await this.#pause.sleep(wait);
    }
  }

  /** Try now instead of later. */
  wake() {
    this.#pause.wake();
  }

  /** The network changed: what is open may be dead without having said so. */
  restart() {
    this.#abort?.abort();
    this.wake();
  }

  /** Why the stream ended, or null when the server closed it. */
  async #tryOnce() {
    this.#abort = new AbortController();
    try {
      if (this.#needsReload) await this.#reload();
      await this.#listen(await this.#connect());
      return null;
    } catch (error) {
      if (error.code === "invalid" || error.code === "reset") this.#needsReload = true;
      return error;
    } finally {
      this.#abort.abort();
    }
  }

  async #connect() {
    const late = setTimeout(() => this.#abort.abort(), CONNECT_MS);
    try {
      return await openStream("/events", { Accept: "text/event-stream", "Last-Event-ID": this.#cursor }, this.#abort.signal);
    } finally {
      clearTimeout(late);
    }
  }

  async #listen(answer) {
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const blocks = new BlockReader();
    for (;;) {
      const { done, value } = await this.#unlessSilent(pieces.read());
      if (done) return;
      for (const block of blocks.push(value)) await this.#take(block);
    }
  }

  /** A server that sends not even its heartbeat is gone, whatever the socket says. Throws Unreachable. */
  async #unlessSilent(reading) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Unreachable("silence")), this.#silenceMs);
    });
    try {
      return await Promise.race([reading, silence]);
    } catch (error) {
      throw error instanceof Unreachable ? error : new Unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #take({ id, event, data }) {
    if (event === "hello") this.#greeted(JSON.parse(data));
    else if (event === "reset") await this.#reload();
    else if (data !== null) await this.#apply(event, data);
    if (event === "resumed" || event === "reset") this.#handlers.state("live");
    // A reset's position is older than what was loaded because of it.
    if (id !== null && event !== "reset") this.#cursor = id;
  }

  #greeted({ heartbeat_seconds: heartbeatSeconds }) {
    this.#silenceMs = heartbeatSeconds * 1500 + 2000;
    this.#failures = 0;
  }

  /** A frame this page cannot take must not stop those behind it: what is shown is then loaded anew. */
  async #apply(event, data) {
    try {
      await this.#handlers.frame(event, JSON.parse(data));
    } catch (error) {
      console.error("a frame could not be applied", event, error);
      this.#needsReload = true;
      throw error;
    }
  }

  async #reload() {
    this.#cursor = await this.#handlers.reload();
    this.#needsReload = false;
  }
}
