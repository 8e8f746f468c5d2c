import type { IconName } from "@/components/icons"

/** One line of a menu; `"line"` parts groups. */
export type MenuEntry = "line" | MenuItem

export interface MenuItem {
  label: string
  icon?: IconName
  /** The keys that do the same, as in `Kbd`. */
  keys?: string
  danger?: boolean
  disabled?: boolean
  checked?: boolean
  run: () => void
}
