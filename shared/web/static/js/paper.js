/** 打印: WeChat on a phone prints nothing and says nothing, so we say it. */
export function toPaper() {
  if (/Mobile.*MicroMessenger/.test(navigator.userAgent)) alert("手机微信里不能打印。请截屏发到电脑上打印，或在电脑上登录再打印。");
  else window.print();
}
