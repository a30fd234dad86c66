/**
 * <offline-form> around a form that must not lose what was written: it is sent by fetch, and kept on
 * the phone when there is no network, no service or no session any more. The form needs a field `id`; the
 * server answers a repeated id with the first result.
 */
import { keep, later, newId, send } from "./outbox.js";
import { tryNow } from "./outbox-bar.js";
import { lead, meta } from "./page.js";

class OfflineForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(/** @type {HTMLFormElement} */ (event.target), event.submitter);
    });
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
    await Promise.all([...form.querySelectorAll("photo-input")].map((photo) => photo.ready));
    const record = {
      id: id.value, person: meta("person"), action: form.action, at: Date.now(),
      fields: [...new FormData(form, submitter)].filter(([name]) => name !== "_csrf_token"),
    };
    try {
      const { answer, signedOut } = await send(record, "text/html");
      if (signedOut || later(answer)) await this.stored(record);
      else if (answer.redirected) location.assign(answer.url);
      else this.replace(await answer.text());
    } catch {
      await this.stored(record);
    } finally {
      form.removeAttribute("inert");
      form.removeAttribute("aria-busy");
      delete form.dataset.sent;
    }
  }

  /** @param {import("./outbox.js").Waiting} record */
  async stored(record) {
    await keep(record);
    const done = this.querySelector("template[data-stored]");
    if (done instanceof HTMLTemplateElement) this.replaceChildren(done.content.cloneNode(true));
    this.querySelector("h2")?.focus();
    await tryNow();
  }

  /** The answered page (a result, or the form with its errors) takes the place of this one. @param {string} html */
  replace(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("main");
    if (!main) return location.reload();
    document.title = page.title;
    document.querySelector("main")?.replaceWith(main);
    window.scrollTo(0, 0);
    if (lead(main)) return;
    /** @type {HTMLElement | null} */ (main.querySelector("h2[tabindex]") ?? document.querySelector("h1"))?.focus();
  }
}
customElements.define("offline-form", OfflineForm);
