/** Arrow keys in a grid with several sections. The last row of each section may be short. Pure. */

export type Step = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End"

/** Returns the index after a step, counted through all sections; -1 for above the first row. */
export function moved(sections: readonly number[], columns: number, at: number, step: Step): number {
  const max = sections.reduce((sum, size) => sum + size, 0) - 1
  const rows = rowsOf(sections, columns)
  const row = rows.findIndex(({ start, size }) => at < start + size)
  const here = rows[row]
  if (here === undefined) return Math.max(0, max)
  switch (step) {
    case "ArrowLeft":
      return Math.max(0, at - 1)
    case "ArrowRight":
      return Math.min(max, at + 1)
    case "Home":
      return here.start
    case "End":
      return here.start + here.size - 1
    default: {
      const there = rows[row + (step === "ArrowDown" ? 1 : -1)]
      if (there === undefined) return step === "ArrowDown" ? at : -1
      return there.start + Math.min(at - here.start, there.size - 1)
    }
  }
}

function rowsOf(sections: readonly number[], columns: number): { start: number; size: number }[] {
  const rows: { start: number; size: number }[] = []
  let start = 0
  for (const size of sections) {
    for (let place = 0; place < size; place += columns)
      rows.push({ start: start + place, size: Math.min(columns, size - place) })
    start += size
  }
  return rows
}
