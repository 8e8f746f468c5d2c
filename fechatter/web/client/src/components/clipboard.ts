/** Copies text, also on pages without https, where browsers do not offer `navigator.clipboard`. */

import { toast } from "@/components/toasts"
import { t } from "@/i18n"

/** Returns whether the browser copied the text. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copiedByCommand(text)
  }
}

/** Copy a text and show the result; `success` is the notice after a successful copy. */
export async function copy(text: string, success = t("components.copied")): Promise<void> {
  if (await copied(text)) toast({ text: success })
  else toast({ text: t("components.notCopied"), kind: "error" })
}

function copiedByCommand(text: string): boolean {
  const area = document.createElement("textarea")
  const before = document.activeElement
  area.value = text
  area.className = "visually-hidden"
  // While a dialog is open, nothing outside it can have the focus.
  ;(document.querySelector("dialog[open]") ?? document.body).append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}
