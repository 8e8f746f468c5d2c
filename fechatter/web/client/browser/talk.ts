/** The messages of a small team on two days, for the screenshots. */

export const PEOPLE = {
  ada: "Ada Lovelace",
  grace: "Grace Hopper",
  alan: "Alan Turing",
  katherine: "Katherine Johnson",
  linus: "Linus Pauling",
  yoko: "田中 陽子",
  wei: "王 伟",
  amelie: "Amélie Dubois",
  mary: "Mary Jackson",
  omar: "عمر الخيام",
} as const

export type Name = keyof typeof PEOPLE

/** Minutes before now, the sender, and the text. */
export type Line = readonly [before: number, who: Name, content: string]

export interface Conversation {
  chat_type: "public_channel" | "private_channel" | "group" | "single"
  name?: string
  description?: string
  members: Name[]
  lines: Line[]
  /** The number of newest messages that Ada has not read. */
  unread?: number
}

const DAY = 24 * 60

const MEASURE = `Found it. We asked for the members once a channel:

\`\`\`python
async def members_of(chats: list[int]) -> dict[int, list[User]]:
    """One query for all of them, instead of one each."""
    rows = await database.fetch(MEMBERS, chats)
    return group_by(rows, key=lambda row: row.chat_id)
\`\`\`

\`/api/sync\` takes **41 ms** now; it was 380.`

export const LAUNCH: Conversation = {
  chat_type: "public_channel",
  name: "launch",
  description: "Version 2 on the 28th. What blocks it goes here first.",
  members: ["grace", "alan", "katherine", "yoko", "wei", "amelie", "mary"],
  lines: [
    [DAY + 190, "katherine", "The figures of the last rehearsal are in: no message lost in six restarts 🎉"],
    [DAY + 188, "mary", "Six? I only counted five."],
    [DAY + 187, "katherine", "The sixth was the power cable. Alan found it with his foot."],
    [DAY + 186, "alan", "It was an *unplanned* test. It passed."],
    [DAY + 121, "amelie", "Bonjour ! The French texts are finished; who reads them over?"],
    [DAY + 118, "wei", "我可以看中文版，明天上午给你意见。"],
    [DAY + 60, "ada", "Then what is open is the slow start of large workspaces. Grace, do you have an idea?"],
    [184, "grace", "Good morning! I looked at the slow start last night."],
    [183, "grace", MEASURE],
    [171, "ada", "380 to 41. That is the nicest thing I have read today ❤️"],
    [170, "ada", "Is there a test that would have caught it?"],
    [
      158,
      "grace",
      "There is now:\n\n- it counts the queries of a request\n- it fails above *ten*, whatever the workspace",
    ],
    [96, "yoko", "日本語の画面も確認しました。はみ出しはありません 👍"],
    [41, "mary", "Rehearsal seven at four, then. The list is at https://example.org/launch/checklist"],
    [38, "alan", "I stay away from the cable."],
    [37, "alan", "🙈"],
  ],
}

export const CONVERSATIONS: Conversation[] = [
  {
    chat_type: "public_channel",
    name: "office",
    description: "For everybody",
    members: ["grace", "alan", "katherine", "linus", "yoko", "wei", "amelie", "mary", "omar"],
    lines: [
      [DAY + 300, "linus", "There is cake in the kitchen. It is orange, for the vitamin C."],
      [64, "amelie", "The office is closed on Friday afternoon: they mend the heating."],
    ],
  },
  {
    chat_type: "public_channel",
    name: "design",
    description: "Pixels, words and colours",
    members: ["amelie", "yoko", "mary"],
    lines: [
      [DAY + 30, "yoko", "The new icons are in the gallery, in both themes."],
      [90, "amelie", "I like the bell. The archive looks like a shoe box, though."],
      [22, "yoko", "It *is* a shoe box. Everybody keeps their letters in one."],
      [19, "mary", "Keep the shoe box!"],
    ],
    unread: 3,
  },
  {
    chat_type: "public_channel",
    name: "support",
    members: ["katherine", "omar", "mary"],
    lines: [
      [DAY + 10, "omar", "A customer asks whether messages can be exported."],
      [DAY + 4, "katherine", "Yes: `fechatter export`. I sent them the page."],
    ],
  },
  {
    chat_type: "private_channel",
    name: "hiring",
    members: ["grace", "katherine"],
    lines: [[DAY + 200, "katherine", "Two talks on Thursday; I booked a place for us."]],
  },
  {
    chat_type: "group",
    members: ["grace", "alan"],
    lines: [
      [80, "alan", "Lunch at the river?"],
      [78, "grace", "In ten minutes, by the door."],
    ],
    unread: 2,
  },
  {
    chat_type: "single",
    members: ["grace"],
    lines: [
      [150, "ada", "Shall I present your change tomorrow, or do you want to?"],
      [147, "grace", "You. I answer the questions."],
    ],
  },
  {
    chat_type: "single",
    members: ["wei"],
    lines: [[9, "wei", "校对完了，只有两处小改动。"]],
    unread: 1,
  },
  { chat_type: "single", members: ["omar"], lines: [[DAY + 2, "omar", "شكرًا جزيلًا على المساعدة!"]] },
]
