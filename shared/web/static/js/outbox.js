/**
 * Records that wait on the phone for the network: IndexedDB, keyed by the id that the phone made, so
 * that sending one twice is the same record. A record belongs to the person who wrote it and is
 * sent only while that person is signed in: an older page of theirs may still be open after somebody
 * else has signed in on the phone, so the server is told whose record it is.
 *
 * @typedef {{id: string, person: string, action: string, at: number, fields: [string, string | File][], problem?: string}} Waiting
 */
import { meta } from "./page.js";

const STORE = "waiting";
/** A photo takes minutes where there is one bar of signal; nobody waits for it here. */
const PATIENCE = 300_000;

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>}
 */
function use(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("gridmerit", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => { opening.result.close(); resolve(request.result); };
      transaction.onerror = transaction.onabort = () => { opening.result.close(); reject(transaction.error); };
    };
  });
}

/** @param {Waiting} record */
export const keep = (record) => use("readwrite", (store) => store.put(record));
/** @param {string} id */
export const drop = (id) => use("readwrite", (store) => store.delete(id));

/** @returns {Promise<Waiting[]>} this person's records, oldest first */
export async function waiting() {
  const person = meta("person");
  const all = await use("readonly", (store) => store.getAll());
  return all.filter((record) => record.person === person).sort((a, b) => a.at - b.at);
}

/** UUIDv7: ids made later sort later. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | BigInt(0x7000 | ((bytes[6] & 15) << 8) | bytes[7]));
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Post one record as the form would.
 * @param {Waiting} record
 * @param {string} accept
 * @param {number} patience after which it counts as not sent
 */
export async function send(record, accept, patience) {
  const body = new FormData();
  for (const [name, value] of record.fields) body.append(name, value);
  body.append("person", record.person);
  const token = meta("csrf-token");
  const asking = new AbortController();
  const timer = setTimeout(() => asking.abort(), patience);
  const headers = { accept, "x-csrftoken": token };
  const answer = await fetch(record.action, { method: "POST", body, headers, signal: asking.signal }).finally(() => clearTimeout(timer));
  const signedOut = answer.status === 401 || (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in"));
  return { answer, signedOut };
}

/**
 * Whether an answer says nothing of the record itself, as a proxy's does while the service starts
 * anew: the record is sent again later.
 * @param {Response} answer
 */
export const later = ({ status }) => [408, 425, 429].includes(status) || status >= 500;

let sending = false;

/**
 * Send what waits, one after the other.
 * @returns {Promise<{state: "sent" | "signed-out" | "away", taken: number}>} how far it got, and
 *   how many the server took
 */
export async function flush() {
  let taken = 0;
  if (sending || !meta("person")) return { state: "away", taken };
  sending = true;
  try {
    for (const record of await waiting()) {
      if (record.problem) continue;
      const { answer, signedOut } = await send(record, "application/json, text/html;q=0.9", PATIENCE);
      if (signedOut) return { state: "signed-out", taken };
      if (answer.ok) { await drop(record.id); taken += 1; }
      else if (later(answer)) return { state: "away", taken };
      else {
        const body = await answer.json().catch(() => ({}));
        // to a token that is too old, or of whoever stands between
        if (answer.status === 403 && (body.code ?? "http_403") === "http_403") return { state: "away", taken };
        await keep({ ...record, problem: Object.values(body.fields ?? {})[0] ?? body.title ?? "这条没有收下，请重新填写。" });
      }
    }
    return { state: "sent", taken };
  } catch {
    return { state: "away", taken };
  } finally {
    sending = false;
  }
}
