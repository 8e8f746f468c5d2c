export default {
  close: "閉じる",
  cancel: "キャンセル",
  save: "保存",
  retry: "再試行",
  copied: "コピーしました",
  notCopied: "ブラウザーがコピーをブロックしました。",
  copyRequestId: "リクエスト ID をコピー",
  notices: "お知らせ",
  justNow: "たった今",
  optional: "任意",
  showPassword: "パスワードを表示",
  hidePassword: "パスワードを隠す",
}
