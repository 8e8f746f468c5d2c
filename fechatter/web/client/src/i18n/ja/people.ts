export default {
  people: "メンバー",
  you: "自分",
}
