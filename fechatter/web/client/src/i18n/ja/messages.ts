export default {
  composerLabel: "メッセージ",
}
