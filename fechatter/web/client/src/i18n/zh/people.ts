export default {
  people: "成员",
  you: "你",
}
