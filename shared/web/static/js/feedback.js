/** The sound and vibration of success and failure; either can be turned off in 我的. */

const SILENT = "gridmerit-silent";

/** @param {boolean} on */
export function setSound(on) {
  if (on) localStorage.removeItem(SILENT);
  else localStorage.setItem(SILENT, "1");
}

export const soundOn = () => !localStorage.getItem(SILENT);

/**
 * Success: one high tone and a short buzz. Failure: two low tones and two buzzes. The browser decides
 * whether there may be sound: a press on the page before counts, though WeChat's says it has seen none.
 * @param {boolean} ok
 */
export function feedback(ok) {
  if (!soundOn()) return;
  navigator.vibrate?.(ok ? 80 : [120, 80, 120]);
  const Audio = window.AudioContext ?? window.webkitAudioContext;
  if (!Audio) return;
  const audio = new Audio();
  const tones = ok ? [[880, 0, 0.12], [1320, 0.12, 0.22]] : [[220, 0, 0.2], [180, 0.28, 0.3]];
  for (const [pitch, start, length] of tones) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, audio.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + length);
  }
  setTimeout(() => audio.close(), 1200);
}
