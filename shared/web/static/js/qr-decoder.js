/** The QR decoder, loaded on demand (about 9 KB): camera frames and single photos. */
import decodeQR from "qr/decode.js";

export { QRCanvas, frameLoop, rearCamera } from "qr/dom.js";

const LONGEST = 1600;

/** @param {File} file @returns {Promise<string>} */
export async function decodeImage(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
}
