/**
 * Files that are dropped on the page or pasted into it. By default a browser leaves the page and opens a dropped file.
 * Here the page stays, and `refuse` explains that files cannot be sent.
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
    // Text from a table or a web page also contains a picture of it.
    if (!pasted?.files.length || pasted.types.includes("text/plain")) return
    event.preventDefault()
    refuse()
  })
}
