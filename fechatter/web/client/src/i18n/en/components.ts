export default {
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  retry: "Try again",
  copied: "Copied",
  notCopied: "Your browser blocked copying.",
  copyRequestId: "Copy request ID",
  notices: "Notifications",
  justNow: "just now",
  optional: "optional",
  showPassword: "Show password",
  hidePassword: "Hide password",
}
