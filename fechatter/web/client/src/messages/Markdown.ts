import { h, type FunctionalComponent, type VNodeChild } from "vue"
import CodeBlock from "@/messages/CodeBlock.vue"
import { parse, type Part, type Wrapping } from "@/messages/parts"

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
}

/** A message's content: an element for each part, made one by one; each block has the direction of its own words. */
const Markdown: FunctionalComponent<{ content: string }> = ({ content }) =>
  parse(content).map(part => draw(part, "auto"))

function draw(part: Part, dir?: "auto"): VNodeChild {
  switch (part.kind) {
    case "text":
      return part.text
    case "break":
      return h("br")
    case "code":
      return h("code", part.text)
    case "block":
      return h(CodeBlock, { text: part.text, language: part.language })
    case "link":
      return h(
        "a",
        { href: part.address, title: part.address, target: "_blank", rel: "noopener noreferrer nofollow" },
        part.parts.map(inner => draw(inner)),
      )
    default: {
      const start = part.start === undefined ? {} : { start: part.start }
      return h(
        TAGS[part.kind],
        { ...start, ...(dir ? { dir } : {}), class: part.kind === "heading" ? "heading" : undefined },
        part.parts.map(inner => draw(inner)),
      )
    }
  }
}

Markdown.props = ["content"]

export default Markdown
