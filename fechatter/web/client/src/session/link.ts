/** The state of a link with a secret. Another link in the same tab starts again. */

import { computed, ref, shallowRef, watch } from "vue"
import { useRoute } from "vue-router"
import { request } from "@/api/http"
import { explain, type Explained } from "@/forms/problems"
import { secretOf } from "@/session/fragment"

/** `path` is the address that looks up a token. `begin` runs before each lookup, and with its result. */
export function useLink<Opened>(path: string, begin: (opened: Opened | null) => void = () => undefined) {
  const route = useRoute()
  const token = computed(() => secretOf(route.hash))
  const opened = shallowRef<Opened | null>(null)
  const refused = ref<Explained | null>(null)

  async function look(mine: string): Promise<void> {
    opened.value = refused.value = null
    begin(null)
    try {
      const { body } = await request<Opened>("POST", path, { body: { token: mine } })
      if (mine !== token.value) return
      opened.value = body
      begin(body)
    } catch (error) {
      if (mine === token.value) refused.value = explain(error)
    }
  }

  watch(token, look, { immediate: true })
  return { token, opened, refused }
}
