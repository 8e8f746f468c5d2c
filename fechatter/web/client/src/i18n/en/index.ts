import chats from "@/i18n/en/chats"
import components from "@/i18n/en/components"
import emoji from "@/i18n/en/emoji"
import errors from "@/i18n/en/errors"
import messages from "@/i18n/en/messages"
import people from "@/i18n/en/people"
import session from "@/i18n/en/session"
import settings from "@/i18n/en/settings"
import shell from "@/i18n/en/shell"
import sidebar from "@/i18n/en/sidebar"

export default { chats, components, emoji, errors, messages, people, session, settings, shell, sidebar }
