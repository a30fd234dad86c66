/** The small elements of phone pages: stepper, cart, code on screen, scanner gun, text size. */
import { feedback, setSound, soundOn } from "./feedback.js";

/** <number-stepper>: − and + around a number field; see ui.stepper. */
class NumberStepper extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("[data-step]") : null;
      const input = this.querySelector("input");
      if (!(button instanceof HTMLElement) || !input) return;
      const wanted = Number(input.value || 0) + Number(button.dataset.step);
      input.value = String(Math.min(Number(input.max || 99), Math.max(Number(input.min || 0), wanted)));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

/** 0.1 points as people read them. @param {number} amount */
const points = (amount) => String(amount / 10);

/**
 * <cart-total balance="1720">: adds up `input[data-price]` (0.1 point each) and writes into
 * `[data-total]`, `[data-rest]`; `[data-short]` shows when it is not enough, `[data-pay]` is then off.
 */
class CartTotal extends HTMLElement {
  connectedCallback() {
    for (const name of ["change", "input"]) this.addEventListener(name, () => this.add());
    this.add();
  }

  add() {
    let total = 0;
    for (const input of this.querySelectorAll("input[data-price]")) {
      const pieces = Math.max(0, Math.trunc(Number(input.value)) || 0);
      input.closest("li")?.classList.toggle("chosen", pieces > 0);
      total += Number(input.dataset.price) * pieces;
    }
    const rest = Number(this.getAttribute("balance") ?? Infinity) - total;
    this.write("[data-total]", points(total));
    this.write("[data-rest]", points(Math.max(rest, 0)));
    this.write("[data-missing]", points(Math.max(-rest, 0)));
    for (const warning of this.querySelectorAll("[data-short]")) warning.hidden = rest >= 0;
    for (const button of this.querySelectorAll("[data-pay]")) button.disabled = rest < 0 || total === 0;
  }

  /**
   * @param {string} selector
   * @param {string} text
   */
  write(selector, text) {
    for (const place of this.querySelectorAll(selector)) place.textContent = text;
  }
}

/**
 * <code-watch src="/code/state" seconds="300">: counts down in `[data-left]`, asks `src` every 3 seconds
 * and whenever the page comes back to the front. 204 = nothing new; a page's worth of HTML takes this
 * element's place. A code that ran out is renewed by loading the page again, once there is a network:
 * without one the browser's own page would take its place. Seconds, as a phone's clock may be wrong.
 */
class CodeWatch extends HTMLElement {
  connectedCallback() {
    this.until = Date.now() + Number(this.getAttribute("seconds")) * 1000;
    this.tick = setInterval(() => this.count(), 1000);
    this.poll = setInterval(() => this.look(), 3000);
    this.wake = () => document.visibilityState === "visible" && this.look();
    document.addEventListener("visibilitychange", this.wake);
    this.count();
  }

  disconnectedCallback() {
    clearInterval(this.tick);
    clearInterval(this.poll);
    document.removeEventListener("visibilitychange", this.wake);
  }

  count() {
    const left = Math.max(0, Math.round((this.until - Date.now()) / 1000));
    const place = this.querySelector("[data-left]");
    if (place) place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }

  async look() {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await fetch(this.getAttribute("src"), { headers: { "hx-request": "true" } });
      if (answer.status !== 200) {
        if (Date.now() >= this.until) location.reload();
        return;
      }
      const box = document.createElement("div");
      box.innerHTML = await answer.text();
      const mark = box.querySelector("[data-feedback]");
      if (mark instanceof HTMLElement) {
        mark.dataset.heard = "1";
        feedback(mark.dataset.feedback === "ok");
      }
      this.replaceWith(...box.childNodes);
      document.querySelector("main h2")?.focus();
    } catch { // no network: the next tick asks again
      const line = this.querySelector("[role=timer]");
      if (line && Date.now() >= this.until) line.textContent = "没有网络，这个码已过期。连上网自动换新码。";
    }
  }
}

/**
 * <scan-input>: the field of a USB or Bluetooth scanner, which types and presses Enter. It keeps the
 * focus while nothing else is being typed, keeps the keyboard and the IME away, and sends its form.
 */
class ScanInput extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    if (!input) return;
    this.focusOn = () => {
      if (!document.activeElement || document.activeElement === document.body) input.focus({ preventScroll: true });
    };
    this.gone = new AbortController();
    const { signal } = this.gone;
    document.addEventListener("focusout", () => setTimeout(this.focusOn, 300), { signal });
    // A button that was pressed keeps the focus; what a scanner types then belongs here all the same.
    document.addEventListener("keydown", ({ key, ctrlKey, altKey, metaKey }) => {
      if (key.length !== 1 || key === " " || ctrlKey || altKey || metaKey) return;
      if (!document.activeElement?.matches("input, textarea, select")) input.focus({ preventScroll: true });
    }, { signal });
    input.addEventListener("compositionstart", () => input.blur());
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (input.value.trim()) input.form?.requestSubmit();
    });
    this.focusOn();
  }

  disconnectedCallback() { this.gone?.abort(); }
}

/** <sound-switch>: the sound and vibration of results, kept on this phone. */
class SoundSwitch extends HTMLElement {
  connectedCallback() {
    const box = this.querySelector("input");
    if (!box) return;
    box.checked = soundOn();
    box.addEventListener("change", () => { setSound(box.checked); feedback(true); });
  }
}

const ELEMENTS = { "number-stepper": NumberStepper, "cart-total": CartTotal, "code-watch": CodeWatch, "scan-input": ScanInput, "sound-switch": SoundSwitch };
for (const [name, kind] of Object.entries(ELEMENTS)) customElements.define(name, kind);
