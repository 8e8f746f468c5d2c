export default {
  channels: "频道",
  direct: "私信",
  archived: "已归档",
  unread: { other: "{count} 条未读" },
  members: { other: "{count} 位成员" },
  details: "详情",
  detailsOf: "{name} 的详情",
  goneTitle: "这个聊天不存在",
  goneText: "它已被删除，或者你已不在其中。",
  beganChannel: "频道由此开始。所有者是 {owner}，创建于 {date}。",
  beganDirect: "你与 {name} 的对话由此开始。",
}
