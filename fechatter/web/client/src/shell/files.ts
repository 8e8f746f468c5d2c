import { toast, toasts } from "@/components/toasts"
import { t } from "@/i18n"

/** Says that files cannot be sent; once, however many come. */
export function showFilesLater(): void {
  const text = t("messages.filesLater")
  if (!toasts.some(shown => shown.text === text)) toast({ text, kind: "error" })
}
