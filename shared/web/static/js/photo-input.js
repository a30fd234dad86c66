/**
 * <photo-input> around a file field: the photo is drawn again at most 1280 px wide or high as JPEG,
 * about 150 KB, before it leaves the phone. That also drops its place and turns HEIC into JPEG. The
 * chosen photo is shown; without canvas support the file goes as it is and the server re-encodes.
 */
const LONGEST = 1280;
const QUALITY = 0.7;

class PhotoInput extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement && target.files?.length) this.shrink(target);
    });
  }

  /** @param {HTMLInputElement} input */
  async shrink(input) {
    try {
      const small = await compress(input.files[0]);
      const chosen = new DataTransfer();
      chosen.items.add(small);
      input.files = chosen.files;
      this.preview(small);
    } catch {
      this.preview(input.files[0]);
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

/** @param {File} file @returns {Promise<File>} */
export async function compress(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], "photo.jpg", { type: "image/jpeg" });
}
customElements.define("photo-input", PhotoInput);
