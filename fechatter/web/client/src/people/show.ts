import { t } from "@/i18n"
import { openDetails } from "@/navigation/details"
import { lazy } from "@/platform/lazy"

const PersonCard = lazy(() => import("@/people/PersonCard.vue"))

/** Show a person's card in the details pane. */
export function showPerson(userId: number): void {
  openDetails(t("people.profile"), PersonCard, { userId })
}
