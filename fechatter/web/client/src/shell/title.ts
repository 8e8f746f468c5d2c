/** The title of the page and the icon of its tab. */

import { onScopeDispose, watchEffect } from "vue"
import { preferences } from "@/preferences/preferences"
import { useChats } from "@/stores/chats"
import { useLive } from "@/stores/live"

export const ICONS = { quiet: "/static/icon.svg", unread: "/static/icon-unread.svg" }

/** Such as "(3) general · Acme", with a dot on the tab's icon. Lives as long as the component that uses it. */
export function useTitle(place: () => string): void {
  const live = useLive()
  const chats = useChats()
  watchEffect(() => {
    const count = preferences.badge ? chats.badgeTotal : 0
    const parts = [place(), live.world?.workspace.name ?? "Fechatter"].filter(part => part !== "")
    document.title = (count > 0 ? `(${count}) ` : "") + parts.join(" · ")
    setIcon(count > 0 ? ICONS.unread : ICONS.quiet)
  })
  onScopeDispose(() => {
    document.title = "Fechatter"
    setIcon(ICONS.quiet)
  })
}

function setIcon(path: string): void {
  document.querySelector("link[rel=icon]")?.setAttribute("href", path)
}
