export default {
  people: "People",
  you: "you",
}
