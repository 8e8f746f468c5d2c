import type { IconName } from "@/components/icons"

/** One entry of a menu; `"line"` separates groups. */
export type MenuEntry = "line" | MenuItem

export interface MenuItem {
  label: string
  icon?: IconName
  /** The shortcut for the same action, as in `Kbd`. */
  keys?: string
  danger?: boolean
  disabled?: boolean
  checked?: boolean
  run: () => void
}
