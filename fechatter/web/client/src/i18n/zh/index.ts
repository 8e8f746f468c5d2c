import chats from "@/i18n/zh/chats"
import components from "@/i18n/zh/components"
import emoji from "@/i18n/zh/emoji"
import errors from "@/i18n/zh/errors"
import messages from "@/i18n/zh/messages"
import people from "@/i18n/zh/people"
import session from "@/i18n/zh/session"
import settings from "@/i18n/zh/settings"
import shell from "@/i18n/zh/shell"
import sidebar from "@/i18n/zh/sidebar"

export default { chats, components, emoji, errors, messages, people, session, settings, shell, sidebar }
