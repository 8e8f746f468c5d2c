/** Signals: frames without a number, about the moment. The server does not repeat a signal that was lost. */

import type { Frame } from "@/api/nouns"

export type Signal = Extract<Frame, { name: "typing.started" | "receipt.moved" }>
