/**
 * A desk left alone: the server ends the session, and the page does not leave people's data on the
 * screen; two minutes before it says so, as something may be half written. Typing sends nothing and is
 * use all the same, so the server hears of it. Tabs share one clock, those with a sheet for the printer, too.
 */
/** @param {string} name */
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content");

const LIMIT = Number(meta("idle")) * 60_000;
const USED = "gridmerit-used";
const TELL_EVERY = 60_000;
const WARN = 120_000; // the server may count from up to TELL_EVERY earlier

/** @returns {HTMLDialogElement} */
function warning() {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet";
  const line = document.createElement("p");
  line.textContent = "很久没有操作，两分钟后自动退出登录，没保存的会丢失。";
  dialog.setAttribute("aria-label", line.textContent);
  const form = document.createElement("form");
  form.method = "dialog";
  const stay = document.createElement("button");
  stay.className = "btn btn-primary";
  stay.textContent = "继续使用";
  form.append(line, stay);
  dialog.append(form);
  document.body.append(dialog);
  return dialog;
}

function watch() {
  let told = Date.now();
  const dialog = warning();
  const use = () => {
    const now = Date.now();
    localStorage.setItem(USED, String(now));
    if (now - told < TELL_EVERY) return;
    told = now;
    fetch("/desk/alive").catch(() => { /* the next press tells */ });
  };
  const look = () => {
    const left = LIMIT - (Date.now() - Number(localStorage.getItem(USED)));
    if (left > WARN) dialog.close();
    else if (left > 0 && !dialog.open) dialog.showModal();
    if (left > 0) return;
    const here = meta("here") ?? location.pathname + location.search;
    location.replace(`/desk/sign-in?idle=1&next=${encodeURIComponent(here)}`);
  };
  use();
  for (const name of ["keydown", "pointerdown", "wheel"]) document.addEventListener(name, use, { capture: true, passive: true });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 15_000);
}
if (LIMIT) watch();
