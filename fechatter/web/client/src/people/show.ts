import { defineAsyncComponent } from "vue"
import { t } from "@/i18n"
import { openDetails } from "@/shell/details"

const PersonCard = defineAsyncComponent(() => import("@/people/PersonCard.vue"))

/** Show somebody's card in the details pane. */
export function showPerson(userId: number): void {
  openDetails(t("people.profile"), PersonCard, { userId })
}
