export default {
  channels: "频道",
  direct: "私信",
  unread: { other: "{count} 条未读" },
}
