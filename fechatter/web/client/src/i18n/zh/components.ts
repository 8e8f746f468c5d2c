export default {
  close: "关闭",
  cancel: "取消",
  save: "保存",
  retry: "重试",
  copied: "已复制",
  notCopied: "浏览器阻止了复制。",
  copyRequestId: "复制请求编号",
  notices: "提示",
  justNow: "刚刚",
  optional: "选填",
  showPassword: "显示密码",
  hidePassword: "隐藏密码",
}
