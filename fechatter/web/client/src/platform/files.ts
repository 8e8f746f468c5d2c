/**
 * Files that are dropped on the page or pasted into it. A browser would leave the page and open a dropped file in its place;
 * here the page stays, and `refuse` says what becomes of files.
 */

export function refuseFiles(refuse: () => void): void {
  for (const kind of ["dragenter", "dragover", "drop"] as const)
    addEventListener(kind, (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return
      event.preventDefault()
      if (kind === "drop") refuse()
    })
  addEventListener("paste", (event: ClipboardEvent) => {
    const pasted = event.clipboardData
    // A table or a page brings its picture along with its text.
    if (!pasted?.files.length || pasted.types.includes("text/plain")) return
    event.preventDefault()
    refuse()
  })
}
