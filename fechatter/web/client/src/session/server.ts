/** What the server says of itself to everybody: its name, who may sign up, its limits. */

import { defineStore } from "pinia"
import { computed, shallowRef } from "vue"
import { request } from "@/api/http"

export interface ServerFacts {
  name: string
  version: string
  signup: "invitation" | "open"
  set_up: boolean
  limits: { message_characters: number }
}

const USUAL_CHARACTERS = 4000

export const useServer = defineStore("server", () => {
  const facts = shallowRef<ServerFacts | null>(null)
  const messageCharacters = computed(() => facts.value?.limits.message_characters ?? USUAL_CHARACTERS)

  /** Throws Problem, Unreachable. */
  async function load(): Promise<ServerFacts> {
    facts.value ??= (await request<ServerFacts>("GET", "/api/server")).body
    return facts.value
  }

  return { facts, messageCharacters, load }
})
