/**
 * <photo-input> around a file field: the photo is drawn again at most 1280 px wide or high as JPEG,
 * about 150 KB, before it leaves the phone. That also drops its place and turns HEIC into JPEG. The
 * chosen photo is shown; without canvas support the file goes as it is and the server re-encodes.
 */
const LONGEST = 1280;
const QUALITY = 0.7;

class PhotoInput extends HTMLElement {
  /** Settles once the chosen photo is small: a form that leaves before takes the camera's megabytes along. */
  ready = Promise.resolve();

  connectedCallback() {
    this.addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      if (target.files?.length) this.ready = this.shrink(target);
      else this.querySelector("img")?.remove();
    });
  }

  /** @param {HTMLInputElement} input */
  async shrink(input) {
    const [file] = input.files;
    try {
      const small = await compress(file);
      if (input.files[0] !== file) return; // another one was chosen meanwhile
      const chosen = new DataTransfer();
      chosen.items.add(small);
      input.files = chosen.files;
      this.preview(small);
    } catch {
      this.preview(file);
    }
  }

  /** @param {File} file */
  preview(file) {
    const image = this.querySelector("img") ?? this.appendChild(document.createElement("img"));
    URL.revokeObjectURL(image.src);
    image.alt = "已选的照片";
    image.src = URL.createObjectURL(file);
  }
}

/**
 * By an <img>, which turns the photo as its EXIF says in every browser we target; createImageBitmap
 * refuses to before Chrome 112 and on older iPhones.
 * @param {File} file
 * @returns {Promise<File>}
 */
export async function compress(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  await picture.decode().finally(() => URL.revokeObjectURL(picture.src));
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], "photo.jpg", { type: "image/jpeg" });
}
customElements.define("photo-input", PhotoInput);
