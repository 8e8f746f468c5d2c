/** In place of the package that the Markdown parser decodes entities with: `&amp;` in a message stays what it is. */

export function decodeHTMLStrict(text: string): string {
  return text
}
