export interface NewAccount {
  fullname: string
  email: string
  password: string
  workspace: string
}

export function emptyAccount(): NewAccount {
  return { fullname: "", email: "", password: "", workspace: "" }
}
