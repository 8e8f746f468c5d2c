export default {
  channels: "Channels",
  direct: "Direct messages",
  archived: "Archived",
  unread: { one: "{count} unread", other: "{count} unread" },
  members: { one: "{count} member", other: "{count} members" },
  details: "Details",
  detailsOf: "Details of {name}",
  goneTitle: "This chat is not there",
  goneText: "It was deleted, or you are not in it any more.",
  beganChannel: "This is the beginning of the channel. {owner} owns it; it was made on {date}.",
  beganDirect: "This is the beginning of your conversation with {name}.",
}
