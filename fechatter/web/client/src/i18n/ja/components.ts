export default {
  close: "閉じる",
  cancel: "キャンセル",
  save: "保存",
  retry: "もう一度試す",
  copied: "コピーしました",
  copyRequestId: "リクエスト ID をコピー",
  notices: "お知らせ",
  loading: "読み込んでいます…",
  optional: "任意",
  more: "その他",
  showPassword: "パスワードを表示",
  hidePassword: "パスワードを隠す",
}
