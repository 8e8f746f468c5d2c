/** Syntax highlighting, loaded when the first code block is shown. */

import hljs from "highlight.js/lib/core"
import bash from "highlight.js/lib/languages/bash"
import c from "highlight.js/lib/languages/c"
import cpp from "highlight.js/lib/languages/cpp"
import csharp from "highlight.js/lib/languages/csharp"
import css from "highlight.js/lib/languages/css"
import diff from "highlight.js/lib/languages/diff"
import dockerfile from "highlight.js/lib/languages/dockerfile"
import go from "highlight.js/lib/languages/go"
import ini from "highlight.js/lib/languages/ini"
import java from "highlight.js/lib/languages/java"
import javascript from "highlight.js/lib/languages/javascript"
import json from "highlight.js/lib/languages/json"
import kotlin from "highlight.js/lib/languages/kotlin"
import makefile from "highlight.js/lib/languages/makefile"
import php from "highlight.js/lib/languages/php"
import python from "highlight.js/lib/languages/python"
import ruby from "highlight.js/lib/languages/ruby"
import rust from "highlight.js/lib/languages/rust"
import sql from "highlight.js/lib/languages/sql"
import swift from "highlight.js/lib/languages/swift"
import typescript from "highlight.js/lib/languages/typescript"
import xml from "highlight.js/lib/languages/xml"
import yaml from "highlight.js/lib/languages/yaml"

const LANGUAGES = {
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  dockerfile,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  makefile,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
}
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language)

/** A piece of code: plain text, or the pieces in a scope such as `keyword`. */
export type Piece = string | { scope: string; pieces: Piece[] }

interface Node {
  scope?: string
  language?: string
  children: (string | Node)[]
}

/** Returns the pieces of a text in a language; null if the language is unknown. */
export function highlight(text: string, language: string): Piece[] | null {
  if (!hljs.getLanguage(language)) return null
  const { _emitter: emitter } = hljs.highlight(text, { language, ignoreIllegals: true })
  return pieces((emitter as unknown as { rootNode: Node }).rootNode)
}

function pieces(node: Node): Piece[] {
  return node.children.map(child =>
    typeof child === "string" ? child : { scope: child.scope ?? "", pieces: pieces(child) },
  )
}
