/** How present a person is. Nobody who is offline has a mark. */
export type Presence = "online" | "away" | "dnd" | "offline"
