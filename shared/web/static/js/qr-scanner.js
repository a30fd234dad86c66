/**
 * <qr-scanner>: the phone's camera in the page, and a photo where the camera is refused. What it
 * reads goes into the field named by `for` and that field's form is sent. The decoder is a chunk of
 * its own that loads when somebody presses the button.
 */
import { feedback } from "./feedback.js";

class QrScanner extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-start]")?.addEventListener("click", () => this.start());
    this.querySelector("input[type=file]")?.addEventListener("change", ({ target }) => this.photo(target.files[0]));
  }

  disconnectedCallback() { this.stop(); }

  async start() {
    const { QRCanvas, frameLoop, rearCamera } = await import("./qr-decoder.js");
    const box = document.createElement("div");
    box.className = "scanner";
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true });
    box.append(video);
    this.querySelector("[data-view]").replaceChildren(box);
    try {
      this.camera = await rearCamera(video);
    } catch {
      this.tell("打不开相机。可以拍一张二维码照片，或输入 8 位数字。");
      return;
    }
    const canvas = new QRCanvas();
    this.cancel = frameLoop(async () => {
      const found = await this.camera.readFrame(canvas);
      if (found) this.found(found);
    });
  }

  stop() {
    this.cancel?.();
    this.camera?.stop();
    this.cancel = this.camera = undefined;
  }

  /** @param {File | undefined} file */
  async photo(file) {
    if (!file) return;
    const { decodeImage } = await import("./qr-decoder.js");
    const text = await decodeImage(file).catch(() => "");
    if (text) this.found(text);
    else this.tell("照片里没有找到二维码，请靠近一点再拍。");
  }

  /** @param {string} text */
  found(text) {
    this.stop();
    const field = document.getElementById(this.getAttribute("for") ?? "");
    if (!(field instanceof HTMLInputElement)) return;
    navigator.vibrate?.(60);
    field.value = text;
    field.form?.requestSubmit();
  }

  /** @param {string} text */
  tell(text) {
    this.stop();
    feedback(false);
    const line = document.createElement("p");
    line.className = "notice notice_bad";
    line.setAttribute("role", "alert");
    line.textContent = text;
    this.querySelector("[data-view]").replaceChildren(line);
  }
}
customElements.define("qr-scanner", QrScanner);
