export default {
  channels: "Channels",
  direct: "Direct messages",
  unread: { one: "{count} unread", other: "{count} unread" },
}
