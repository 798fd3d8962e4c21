/**
 * Own messages on their way. One is sent at a time, so their order holds; each keeps its id through
 * every attempt, so however often it is sent it is stored once.
 */
const ATTEMPTS = 5;
const RETRY_SECONDS = 1;

export class Outbox {
  #send;
  #changed;
  #open = false;
  #busy = false;
  entries = [];

  /**
   * `send(entry)` sends the entry's `text` under its `id`; it resolves once acknowledged,
   * or rejects with `{message, retryable, lost, retryAfter}`.
   */
  constructor({ send, changed }) {
    this.#send = send;
    this.#changed = changed;
  }

  /** Add messages that a page before a reload did not see acknowledged. */
  restore(entries) {
    this.entries.push(...entries.map(({ id, text }) => ({ id, text, state: "sending", attempts: 0 })));
    this.#pump();
  }

  add(text) {
    this.entries.push({ id: newId(), text, state: "sending", attempts: 0 });
    this.#pump();
  }

  /** The line is up: send what waits. */
  open() {
    this.#open = true;
    this.#pump();
  }

  /** The line is down: keep everything until it is up again. */
  close() {
    this.#open = false;
  }

  retry(id) {
    const entry = this.#find(id);
    if (entry) Object.assign(entry, { state: "sending", attempts: 0, error: undefined });
    this.#pump();
  }

  /** Forget a message: it came back from the room, or its author gave it up. */
  settle(id) {
    const known = this.entries.length;
    this.entries = this.entries.filter((entry) => entry.id !== id);
    if (this.entries.length !== known) this.#changed(this.entries);
  }

  /** Forget what was acknowledged with a `seq` up to this one: its echo came before, in an older page perhaps. */
  arrived(last) {
    for (const { id, seq } of this.entries) if (seq <= last) this.settle(id);
  }

  #find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  async #pump() {
    this.#changed(this.entries);
    if (this.#busy) return;
    this.#busy = true;
    for (let entry; this.#open && (entry = this.#next()); ) await this.#attempt(entry);
    this.#busy = false;
  }

  #next() {
    return this.entries.find((entry) => entry.state === "sending");
  }

  async #attempt(entry) {
    try {
      await this.#send(entry);
      entry.state = "sent";
    } catch (error) {
      if (!error.lost) await this.#refused(entry, error);
      else if (this.#open) await pause(RETRY_SECONDS);
    }
    this.#changed(this.entries);
  }

  async #refused(entry, error) {
    entry.attempts += 1;
    if (error.retryable && entry.attempts < ATTEMPTS) {
      await pause(error.retryAfter ?? RETRY_SECONDS * 2 ** (entry.attempts - 1));
    } else {
      Object.assign(entry, { state: "failed", error: error.message });
    }
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Return a random id; `crypto.randomUUID` exists only on secure origins. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
