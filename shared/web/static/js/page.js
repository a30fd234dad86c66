/**
 * What every page does with scripts: htmx under our rules, questions before an act, dialogs, the
 * sound of a result, one submission per press.
 */
import htmx from "htmx.org/dist/htmx.esm.js";
import { feedback } from "./feedback.js";
import { toPaper } from "./paper.js";

Object.assign(htmx.config, {
  allowEval: false,
  includeIndicatorStyles: false,
  historyCacheSize: 0, // pages are personal: nothing of them stays in the browser
  refreshOnHistoryMiss: true,
  timeout: 30_000,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});

/** @param {string} name */
export const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";

// A page that answered a form takes the form's place in the history: going back to it later, or
// loading it again, shows that page and not the browser's "confirm form resubmission".
if (meta("here")) history.replaceState(history.state, "", meta("here"));

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["x-csrftoken"] = meta("csrf-token");
});

// A refused form, as one with a code that was used, is answered by a page, too.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status, responseText } = detail.xhr;
  if (!(detail.requestConfig.elt instanceof HTMLFormElement) || status < 400 || status >= 500) return;
  if (responseText.includes('<main id="main"')) Object.assign(detail, { shouldSwap: true, isError: false });
});

// After a swap the reading position is what is wrong, or the new part's heading, as after a page load.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (!detail.elt.contains(document.activeElement) || document.activeElement === document.body) {
    const heading = lead(detail.elt) ? null
      : detail.elt.querySelector(".result h2") ?? detail.elt.querySelector("h1[tabindex], h2[tabindex]");
    heading?.focus();
  }
  const { requestPath, responsePath } = detail.pathInfo;
  if (detail.elt === document.body && responsePath !== requestPath) history.replaceState(history.state, "", responsePath);
  // more rows: 加载更多, which had the focus, is gone; the first of them has it now
  if (document.activeElement === document.body && detail.elt.matches?.("a[href]")) detail.elt.focus({ preventScroll: true });
  soundOf(detail.elt);
});

// Whether a form that got no answer has arrived nobody here knows: its page stays, to be sent once more.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, ({ detail }) => {
    const { elt } = detail.requestConfig;
    if (detail.xhr?.status === 429) say("操作太频繁，请稍后再试。");
    else if (elt instanceof HTMLFormElement) say(elt.dataset.lost ?? "网络不好，没有收到结果，请再试一次。");
    else say("网络不好，没有打开，请再试一次。");
  });
}

/** After how long a press is answered by 正在提交, and by more than that. */
const SOON = 600;
const LONG = 8_000;
/** @type {() => void} */
let answered = () => { /* nothing is under way */ };

/** Say that a form is under way, until its answer comes: without it a slow network looks like a press that was not felt. */
export function underway() {
  answered();
  if (!document.body.matches(".phone")) return answered;
  const line = document.createElement("p");
  line.className = "underway";
  line.setAttribute("role", "status");
  document.body.append(line);
  const timers = [
    setTimeout(() => { line.textContent = "正在提交，请稍等…"; }, SOON),
    setTimeout(() => { line.textContent = "网络慢，还在提交，请再等等。"; }, LONG),
  ];
  answered = () => {
    timers.forEach(clearTimeout);
    line.remove();
  };
  return answered;
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => detail.requestConfig.elt instanceof HTMLFormElement && underway());
document.addEventListener("htmx:afterRequest", () => answered());

/** One sentence in a dialog: it waits for the reader, unlike a toast. @param {string} text */
export function say(text) {
  ask(text, { cancel: "" });
}

/**
 * A question in a dialog.
 * @param {string} text
 * @param {{yes?: string, cancel?: string}} labels
 * @returns {Promise<boolean>}
 */
export async function ask(text, { yes = "确定", cancel = "取消" } = {}) {
  if (!window.HTMLDialogElement) { // Safari before 15.4; a form is sent only once its submit event is over
    await new Promise((over) => setTimeout(over));
    return cancel ? confirm(text) : Boolean(alert(text));
  }
  const dialog = document.createElement("dialog");
  dialog.className = "sheet";
  dialog.setAttribute("aria-label", text);
  const form = document.createElement("form");
  form.method = "dialog";
  const line = document.createElement("p");
  line.textContent = text;
  const row = document.createElement("div");
  row.className = "buttons sheet__act";
  const look = document.body.classList.contains("desk") ? ["btn", "btn btn-primary"] : ["weui-btn weui-btn_default", "weui-btn weui-btn_primary"];
  for (const [index, label] of [cancel, yes].entries()) {
    if (!label) continue;
    const button = document.createElement("button");
    button.value = index ? "yes" : "";
    button.className = look[index];
    button.textContent = label;
    row.append(button);
  }
  form.append(line, row);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

/** A tab of its own, as a sheet to print opens, has no other way back than the page it came from. */
function back() {
  if (history.length > 1) history.back();
  else location.assign(document.referrer || "/");
}

document.addEventListener("click", ({ target }) => {
  const element = target instanceof Element ? target.closest("[data-dialog], [data-close], [data-back], [data-print]") : null;
  if (!(element instanceof HTMLElement)) return;
  if (element.dataset.dialog) document.getElementById(element.dataset.dialog)?.showModal();
  else if ("close" in element.dataset) element.closest("dialog")?.close();
  else if ("back" in element.dataset) back();
  else toPaper();
});

/** Whether something was chosen or typed in a field since the page came. @param {Element} field */
function changed(field) {
  if (["radio", "checkbox"].includes(field.type)) return field.checked !== field.defaultChecked;
  if (!(field instanceof HTMLSelectElement)) return field.value !== field.defaultValue;
  return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
}

// The next page of a form that is filled in page by page: what is not saved would be gone.
document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[rel=prev], a[rel=next]") : null;
  const fields = document.querySelectorAll("main form[method=post] :is(input, select, textarea)");
  if (!(link instanceof HTMLAnchorElement) || ![...fields].some(changed)) return;
  event.preventDefault();
  if (await ask("这一页选的、写的还没有提交，翻页就没有了。", { yes: "仍要翻页" })) location.assign(link.href);
});

// Safari 15 has no requestSubmit: a press on the button checks the form and sends it all the same.
HTMLFormElement.prototype.requestSubmit ??= function requestSubmit(submitter) {
  const own = submitter?.isConnected ? null : this.appendChild(document.createElement("button"));
  (own ?? submitter).click();
  own?.remove();
};

/** How long an answer of the server says that there is a network, and how long one is waited for. */
const FRESH = 15_000;
const PATIENCE = 5_000;
let heard = Date.now();
const doubtful = () => !navigator.onLine || Date.now() - heard >= FRESH;

/**
 * Whether a form would end on the browser's own page, which loses what was typed: nobody answers a small question.
 * @param {HTMLFormElement} form
 */
async function stranded(form) {
  if (!doubtful()) return false;
  const over = underway();
  form.setAttribute("aria-busy", "true");
  const asking = new AbortController();
  const timer = setTimeout(() => asking.abort(), PATIENCE);
  try {
    const { status } = await fetch("/health", { cache: "no-store", credentials: "omit", signal: asking.signal });
    if (status >= 500) return true;
    heard = Date.now();
    return false;
  } catch {
    return true;
  } finally {
    clearTimeout(timer);
    over();
    form.removeAttribute("aria-busy");
  }
}

/** Whether the browser sends a form itself and leaves the page for it. @param {HTMLFormElement} form */
const leaves = (form) => form.method === "post" && !form.matches("[target]") && !form.closest("offline-form, [hx-post]");

/** What must be agreed to before a form goes, and a network for it. @param {HTMLFormElement} form @returns {Promise<boolean>} */
async function agreed(form) {
  if (form.dataset.confirm && !(await ask(form.dataset.confirm))) return false;
  while (leaves(form) && (await stranded(form))) {
    if (!(await ask("网络不通，没有交上去。写的还在，请再试一次。", { yes: "再试一次" }))) return false;
  }
  return true;
}

/** What is wrong with a field, in a sentence. @param {HTMLInputElement} field */
function lacking(field) {
  if (!field.validity.valueMissing) return field.title || field.validationMessage;
  if (["radio", "select-one"].includes(field.type)) return "这一项还没选，请选一个。";
  return { file: "请拍照或选一张照片。", checkbox: "请勾选。" }[field.type] ?? "这一项还没填，请填写。";
}

// In letters as large as the page's and until it is mended: the browser's bubble is small and soon gone.
document.addEventListener("invalid", (event) => {
  const { target: field } = event;
  const place = field.closest(".field, fieldset, .photo, .tick");
  if (!place || !document.body.matches(".phone")) return;
  event.preventDefault();
  if (field === field.form.querySelector(":is(input, select, textarea):invalid")) {
    place.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  }
  if (place.querySelector(".field__error")) return;
  const line = document.createElement("p");
  line.className = "field__error";
  line.dataset.mend = "";
  line.setAttribute("role", "alert");
  line.textContent = lacking(field);
  place.append(line);
  place.classList.add("field_wrong");
}, true);
document.addEventListener("input", ({ target }) => {
  const line = target instanceof Element && target.closest(".field_wrong")?.querySelector("[data-mend]");
  if (!line || !target.validity?.valid) return;
  line.parentElement.classList.remove("field_wrong");
  line.remove();
});

const TYPED = "main form :is(textarea, select, input:not([type=hidden]))";

// 大字版 in the middle of a form loads nothing anew: what is typed stays. Registered before the next one, which then
// takes it for answered.
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!(form instanceof HTMLFormElement) || !form.matches(".top__size") || !document.querySelector(TYPED)) return;
  event.preventDefault();
  const body = new URLSearchParams([...new FormData(form)]);
  body.set(submitter.name, submitter.value);
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => { /* this page has it all the same */ });
  const large = submitter.value === "elder";
  document.documentElement.dataset.text = submitter.value;
  submitter.value = large ? "normal" : "elder";
  submitter.textContent = large ? "标准版" : "大字版";
  submitter.setAttribute("aria-pressed", String(large));
}, true);

// A form that asks first, and any form sent once: the second press of a hurried thumb does nothing.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.method === "dialog") return;
  const { submitter } = event;
  if ((form.dataset.confirm || (leaves(form) && doubtful())) && !form.dataset.sure) {
    event.preventDefault();
    event.stopPropagation();
    if (form.matches("[aria-busy]")) return;
    if (!(await agreed(form))) return;
    form.dataset.sure = "1";
    form.requestSubmit(submitter);
    return;
  }
  delete form.dataset.sure;
  if (form.method === "get" || form.matches("[hx-post], [hx-get]")) return;
  if (form.dataset.sent) event.preventDefault();
  else if (leaves(form)) underway();
  form.dataset.sent = "1";
  // its answer opens beside this page, which stays: a hurried thumb is over by then
  if (form.matches("[target]")) setTimeout(() => delete form.dataset.sent, 2000);
}, true);
window.addEventListener("pageshow", () => {
  answered();
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

/** @param {ParentNode} root */
function soundOf(root) {
  const mark = root.querySelector?.("[data-feedback]:not([data-heard])");
  if (!(mark instanceof HTMLElement)) return;
  mark.dataset.heard = "1";
  feedback(mark.dataset.feedback === "ok");
}
soundOf(document);

const WRONG = "[role=alert][tabindex], .is-invalid, .field_wrong input, .field_wrong select, .field_wrong textarea";

/** Lead the reader to what is wrong: the summary if there is one, else the first field. @param {ParentNode} root */
export function lead(root) {
  const wrong = root.querySelector(WRONG);
  if (!(wrong instanceof HTMLElement)) return false;
  wrong.scrollIntoView({ block: "center" });
  wrong.focus({ preventScroll: true });
  return true;
}
lead(document);
