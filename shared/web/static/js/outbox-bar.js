/** The yellow bar that says what still waits on the phone, on every page of a signed-in worker. */
import { drop, flush, keep, waiting } from "./outbox.js";
import { meta, say, underway } from "./page.js";

const SIGN_IN = `/sign-in?next=${encodeURIComponent(location.pathname)}`;

/** @param {string} state */
async function show(state = "") {
  const records = await waiting();
  const old = document.querySelector(".outbox");
  if (!records.length) {
    old?.remove();
    return;
  }
  const bar = old ?? document.createElement("div");
  bar.className = "outbox";
  const notice = document.createElement("div");
  notice.className = "notice notice_warn";
  notice.setAttribute("role", "status");
  const text = document.createElement("div");
  const line = document.createElement("strong");
  const stuck = records.filter((record) => record.problem);
  line.textContent = stuck.length === records.length
    ? `有 ${stuck.length} 条没有收下`
    : `已存在手机里，有网自动上传（${records.length - stuck.length}）`;
  text.append(line);
  for (const record of stuck) {
    const item = document.createElement("p");
    const written = new Map(record.fields);
    item.textContent = `${new Date(record.at).toLocaleDateString("zh-CN")}“${written.get("text") || written.get("choice") || ""}”：${record.problem}`;
    const again = press("再交一次", async () => { await keep({ ...record, problem: undefined }); await tryNow(); });
    text.append(item, again, press("删除这一条", async () => { await drop(record.id); await show(); }));
  }
  if (state === "signed-out") {
    const link = document.createElement("a");
    link.href = SIGN_IN;
    link.textContent = "登录后上传";
    text.append(link);
  } else if (stuck.length < records.length) {
    text.append(press("现在上传", pressed));
  }
  notice.append(text);
  bar.replaceChildren(notice);
  if (!old) document.querySelector("main")?.before(bar);
}

/**
 * @param {string} label
 * @param {() => void} act
 */
function press(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "weui-btn weui-btn_default btn_small";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

/** The page was made before: it does not list what has just arrived. @param {number} taken */
function told(taken) {
  const notice = document.createElement("div");
  notice.className = "notice notice_ok";
  notice.setAttribute("role", "status");
  const text = document.createElement("div");
  const link = document.createElement("a");
  link.href = "/records";
  link.textContent = "去看看";
  text.append(`存在手机里的 ${taken} 条已上传。`, link);
  notice.append(text);
  document.querySelector("main")?.prepend(notice);
  // the page on which the last of them was kept says 已存在手机里 no longer
  const kept = document.querySelector("offline-form .result");
  kept?.querySelector("h2")?.replaceChildren("已上传");
  kept?.querySelector(":scope > p")?.remove();
}

export async function tryNow() {
  await show(); // where nobody answers, sending takes its time
  const { state, taken } = await flush();
  await show(state);
  if (taken) told(taken);
  return state;
}

/** 现在上传: who pressed it is told, too, that there is still no network. */
async function pressed() {
  const over = underway();
  const state = await tryNow();
  over();
  if (state === "away") say("网络还不通，没有传上去。记录还在手机里，有网会自动上传。");
}

if (meta("person") && "indexedDB" in window) {
  tryNow();
  window.addEventListener("online", tryNow);
  document.addEventListener("htmx:afterSettle", ({ target }) => target === document.body && tryNow()); // a new page
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && tryNow());
}
