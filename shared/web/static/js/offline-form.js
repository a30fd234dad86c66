/**
 * <offline-form> around a form that must not lose what was written: it is sent by fetch, and kept on
 * the phone when there is no network, no service or no session any more. The form needs a field `id`; the
 * server answers a repeated id with the first result.
 */
import { keep, later, newId, send } from "./outbox.js";
import { tryNow } from "./outbox-bar.js";
import { lead, meta, say, underway } from "./page.js";

/** How long somebody waits before the record is kept on the phone. */
const PATIENCE = 30_000;

class OfflineForm extends HTMLElement {
  connectedCallback() {
    this.afresh();
    this.shown = (/** @type {PageTransitionEvent} */ { persisted }) => persisted && this.afresh();
    window.addEventListener("pageshow", this.shown);
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(/** @type {HTMLFormElement} */ (event.target), event.submitter);
    });
  }

  disconnectedCallback() { window.removeEventListener("pageshow", this.shown); }

  /** Who comes back to the page, where browsers keep what was in its form, writes another record. */
  afresh() {
    const form = this.querySelector("form");
    const id = form?.elements.namedItem("id");
    if (id instanceof HTMLInputElement) id.value = "";
    form?.removeAttribute("inert");
    form?.removeAttribute("aria-busy");
  }

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement | null} submitter
   */
  async submit(form, submitter) {
    const id = form.elements.namedItem("id");
    if (!(id instanceof HTMLInputElement)) throw new Error("offline-form needs a field named id");
    id.value ||= newId();
    form.toggleAttribute("inert", true);
    form.setAttribute("aria-busy", "true");
    const over = underway();
    let left = false;
    await Promise.all([...form.querySelectorAll("photo-input")].map((photo) => photo.ready));
    const record = {
      id: id.value, person: meta("person"), action: form.action, at: Date.now(),
      fields: [...new FormData(form, submitter)].filter(([name]) => name !== "_csrf_token"),
    };
    try {
      const { answer, signedOut } = await send(record, "text/html", PATIENCE);
      if (signedOut || later(answer) || answer.status === 403) await this.stored(record);
      else if (answer.redirected) {
        left = true;
        location.assign(answer.url);
      } else this.replace(await answer.text(), answer.ok);
    } catch {
      await this.stored(record);
    } finally {
      if (!left) { // else the next page is under way
        over();
        form.removeAttribute("inert");
        form.removeAttribute("aria-busy");
        delete form.dataset.sent;
      }
    }
  }

  /** @param {import("./outbox.js").Waiting} record */
  async stored(record) {
    try {
      await keep(record);
    } catch { // no room, or no storage at all: only the page still has it
      say("手机里存不下，还没有提交。请留在这一页，有网再点“提交”。");
      return;
    }
    const done = this.querySelector("template[data-stored]");
    if (done instanceof HTMLTemplateElement) this.replaceChildren(done.content.cloneNode(true));
    window.scrollTo(0, 0);
    this.querySelector("h2")?.focus({ preventScroll: true });
    tryNow();
  }

  /**
   * The answered page (a result, or the form with its errors) takes the place of this one; an error's page does not,
   * as what was written would be gone with the form.
   * @param {string} html
   * @param {boolean} ok
   */
  replace(html, ok) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("main");
    const refusal = main?.querySelector(".result h2");
    if (!ok && (refusal || !main)) return say(refusal?.textContent ?? "没有收下，请改了再交。");
    if (!main) return location.reload();
    document.title = page.title;
    document.querySelector("main")?.replaceWith(main);
    for (const chosen of this.querySelectorAll("input[type=file]")) carry(chosen, main);
    window.scrollTo(0, 0);
    if (lead(main)) return;
    /** @type {HTMLElement | null} */ (main.querySelector("h2[tabindex]") ?? document.querySelector("h1"))?.focus();
  }
}
/**
 * A page brings no chosen photo back: the one of the refused form goes into the new one, unless it is what is wrong.
 * @param {HTMLInputElement} chosen
 * @param {Element} main
 */
function carry(chosen, main) {
  const place = main.querySelector(`input[type=file][name="${chosen.name}"]`);
  if (!(place instanceof HTMLInputElement) || !chosen.files?.length || main.querySelector(`#e-${chosen.name}`)) return;
  place.files = chosen.files;
  place.closest("photo-input")?.preview(chosen.files[0]);
}
customElements.define("offline-form", OfflineForm);
