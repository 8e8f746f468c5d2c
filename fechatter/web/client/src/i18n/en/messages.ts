export default {
  composerLabel: "Message",
}
