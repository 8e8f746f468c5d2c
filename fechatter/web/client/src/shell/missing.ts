/** Offers a reload if this client needs a part that the server does not have. */

import { toast, toasts } from "@/components/toasts"
import { t } from "@/i18n"
import { reloadNewest } from "@/offline/shell"

/** Shows one notice for any number of missing parts. */
export function offerReload(): void {
  const text = t("shell.partMissing")
  if (toasts.some(shown => shown.text === text)) return
  toast({ text, kind: "error", action: { label: t("shell.updateNow"), run: () => void reloadNewest() } })
}
