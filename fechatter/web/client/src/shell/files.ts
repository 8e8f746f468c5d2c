import { toast, toasts } from "@/components/toasts"
import { t } from "@/i18n"

/** Shows that files cannot be sent, once for any number of files. */
export function showFilesLater(): void {
  const text = t("messages.filesLater")
  if (!toasts.some(shown => shown.text === text)) toast({ text, kind: "error" })
}
