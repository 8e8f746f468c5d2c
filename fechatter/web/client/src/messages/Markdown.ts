import { h, type FunctionalComponent, type VNode, type VNodeChild } from "vue"
import { t } from "@/i18n"
import CodeBlock from "@/messages/CodeBlock.vue"
import { parse, type Part, type Wrapping } from "@/text/parts"
import { readable } from "@/text/readable"
import "@/messages/messageText.css"

const TAGS: Record<Wrapping, string> = {
  paragraph: "p",
  heading: "p",
  emphasis: "em",
  strong: "strong",
  struck: "s",
  bullets: "ul",
  numbers: "ol",
  item: "li",
  quote: "blockquote",
  table: "table",
  head: "thead",
  body: "tbody",
  row: "tr",
  headCell: "th",
  cell: "td",
}

/** Scripts without slanted letters. */
const UPRIGHT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

type Wrapped = Extract<Part, { kind: Wrapping }>

/** The content of a message. Each part is one element, and each block has the direction of its text. */
const Markdown: FunctionalComponent<{ content: string }> = ({ content }) =>
  parse(content).map(part => draw(part, "auto"))

function draw(part: Part, dir?: "auto"): VNodeChild {
  switch (part.kind) {
    case "text":
      return part.text
    case "break":
      return h("br")
    case "rule":
      return h("hr")
    case "code":
      return h("code", part.text)
    case "block":
      return h(CodeBlock, { text: part.text, language: part.language })
    case "link":
      return link(part.address, part.parts)
    case "table":
      // Content that is wider than the message scrolls by itself.
      return h("div", { class: "table" }, element(part, dir))
    default:
      return element(part, dir)
  }
}

/** The link is isolated, so that no character before it reverses its text. */
function link(address: string, parts: Part[]): VNode {
  const attributes = { href: address, title: readable(address), target: "_blank", rel: "noopener noreferrer nofollow" }
  return h(
    "a",
    { ...attributes, dir: "auto", tabindex: -1 },
    parts.map(part => draw(part)),
  )
}

function element(part: Wrapped, dir?: "auto"): VNode {
  const { start, align, done } = part
  const isUpright = part.kind === "emphasis" && UPRIGHT.test(words(part))
  const classes = [
    part.kind === "heading" && "heading",
    isUpright && "upright",
    align && `align-${align}`,
    done !== undefined && "task",
  ]
  const attributes = { start, dir, class: classes.some(Boolean) ? classes : undefined }
  const inner = part.parts.map(piece => draw(piece))
  return h(TAGS[part.kind], attributes, done === undefined ? inner : [box(done), ...inner])
}

function words(part: Part): string {
  if (part.kind === "text") return part.text
  return "parts" in part ? part.parts.map(words).join("") : ""
}

/** Shows whether a task is done; read-only. */
function box(done: boolean): VNode {
  const label = t(done ? "messages.taskDone" : "messages.taskOpen")
  return h("input", { type: "checkbox", disabled: true, checked: done, "aria-label": label })
}

Markdown.props = ["content"]

export default Markdown
