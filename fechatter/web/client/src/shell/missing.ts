/** Offers a reload if this older client needs a part that the server no longer has. */

import { toast, toasts } from "@/components/toasts"
import { t } from "@/i18n"
import { reloadNewest } from "@/offline/shell"

/** Once, however many parts are missing. */
export function offerReload(): void {
  const text = t("shell.partMissing")
  if (toasts.some(shown => shown.text === text)) return
  toast({ text, kind: "error", action: { label: t("shell.updateNow"), run: () => void reloadNewest() } })
}
