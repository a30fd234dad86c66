/**
 * A desk left alone: the server ends the session, and the page does not leave people's data on the
 * screen. Typing sends nothing and is use all the same, so the server hears of it. Tabs share one clock,
 * those with a sheet for the printer, too.
 */
/** @param {string} name */
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content");

const LIMIT = Number(meta("idle")) * 60_000;
const USED = "gridmerit-used";
const TELL_EVERY = 60_000;

function watch() {
  let told = Date.now();
  const use = () => {
    const now = Date.now();
    localStorage.setItem(USED, String(now));
    if (now - told < TELL_EVERY) return;
    told = now;
    fetch("/desk/alive").catch(() => { /* the next press tells */ });
  };
  const look = () => {
    if (Date.now() - Number(localStorage.getItem(USED)) < LIMIT) return;
    const here = meta("here") ?? location.pathname + location.search;
    location.replace(`/desk/sign-in?idle=1&next=${encodeURIComponent(here)}`);
  };
  use();
  for (const name of ["keydown", "pointerdown", "wheel"]) document.addEventListener(name, use, { capture: true, passive: true });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 15_000);
}
if (LIMIT) watch();
