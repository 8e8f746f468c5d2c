export default {
  composerLabel: "消息",
}
