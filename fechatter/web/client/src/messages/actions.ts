/** Actions on the messages of a chat. Errors are shown. */

import type { Ref } from "vue"
import type { Chat, Message } from "@/api/nouns"
import { copy } from "@/components/clipboard"
import { showProblem } from "@/forms/problems"
import { t } from "@/i18n"
import { useChats } from "@/stores/chats"
import { useMessages } from "@/stores/messages"

/** `editing` is the id of the message in the editor, or null. */
export function useMessageActions(chat: () => Chat, editing: Ref<number | null>) {
  const chats = useChats()
  const messages = useMessages()
  let isSaving = false

  /** The text stays in the editor until the server has stored it. */
  async function save(message: Message, content: string): Promise<void> {
    if (isSaving) return
    isSaving = true
    try {
      await messages.edit(message, content)
      if (editing.value === message.id) editing.value = null
    } catch (error) {
      showProblem(error)
    } finally {
      isSaving = false
    }
  }

  function markUnread(number: number): void {
    chats.markUnread(chat().id, number).catch(showProblem)
  }

  function copyLink(message: Message): Promise<void> {
    return copy(`${location.origin}/chats/${chat().id}/${message.number}`, t("messages.linkCopied"))
  }

  return { save, markUnread, copyLink }
}
