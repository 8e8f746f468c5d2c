export default {
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  retry: "Try again",
  copied: "Copied",
  copyRequestId: "Copy request id",
  notices: "Notices",
  loading: "Loading…",
  optional: "optional",
  more: "More",
  showPassword: "Show password",
  hidePassword: "Hide password",
}
