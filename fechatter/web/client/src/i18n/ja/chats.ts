export default {
  channels: "チャンネル",
  direct: "ダイレクトメッセージ",
  unread: { other: "未読 {count} 件" },
}
