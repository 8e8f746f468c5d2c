export default {
  close: "关闭",
  cancel: "取消",
  save: "保存",
  retry: "重试",
  copied: "已复制",
  copyRequestId: "复制请求编号",
  notices: "提示",
  loading: "正在加载…",
  optional: "选填",
  more: "更多",
  showPassword: "显示密码",
  hidePassword: "隐藏密码",
}
