export default {
  channels: "チャンネル",
  direct: "ダイレクトメッセージ",
  archived: "アーカイブ",
  unread: { other: "未読 {count} 件" },
  members: { other: "メンバー {count} 人" },
  details: "詳細",
  detailsOf: "{name} の詳細",
  goneTitle: "このチャットはありません",
  goneText: "削除されたか、あなたが参加していません。",
  beganChannel: "チャンネルはここから始まります。オーナーは {owner}、作成日は {date} です。",
  beganDirect: "{name} との会話はここから始まります。",
}
