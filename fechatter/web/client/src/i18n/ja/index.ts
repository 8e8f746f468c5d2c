import chats from "@/i18n/ja/chats"
import components from "@/i18n/ja/components"
import emoji from "@/i18n/ja/emoji"
import errors from "@/i18n/ja/errors"
import messages from "@/i18n/ja/messages"
import people from "@/i18n/ja/people"
import session from "@/i18n/ja/session"
import settings from "@/i18n/ja/settings"
import shell from "@/i18n/ja/shell"
import sidebar from "@/i18n/ja/sidebar"

export default { chats, components, emoji, errors, messages, people, session, settings, shell, sidebar }
