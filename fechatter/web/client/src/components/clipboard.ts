/** Copying, on every page: browsers give `navigator.clipboard` to pages with https alone. */

import { toast } from "@/components/toasts"
import { t } from "@/i18n"

/** Returns whether the browser copied it. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copiedByHand(text)
  }
}

/** Copy and say how it went, with `said` where it went well. */
export async function copy(text: string, said = t("components.copied")): Promise<void> {
  if (await copied(text)) toast({ text: said })
  else toast({ text: t("components.notCopied"), kind: "error" })
}

function copiedByHand(text: string): boolean {
  const area = document.createElement("textarea")
  const before = document.activeElement
  area.value = text
  area.className = "visually-hidden"
  // Inside an open dialog, as nothing outside takes the focus.
  ;(document.querySelector("dialog[open]") ?? document.body).append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}
