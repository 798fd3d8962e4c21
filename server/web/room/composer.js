/** The box to speak from: grows with its text, keeps a draft, says that one is writing. */
import { byId } from "./dom.js";
import * as memory from "./memory.js";

const TYPING_AGAIN_SECONDS = 3;
const TYPING_STOPS_SECONDS = 4;
const COUNT_FROM = 7_500;
const MOST = 8_000;

export class Composer {
  #box = byId("say");
  #session;
  #typing;
  #typedAt = null;
  #timer;

  /** `send(text)` takes a message; `typing(isTyping)` is called seldom enough to be told to all. */
  constructor(session, { send, typing }) {
    this.#session = session;
    this.#typing = typing;
    this.#box.value = memory.draft.get(session);
    this.#box.addEventListener("input", () => this.#changed());
    this.#box.addEventListener("blur", () => this.#rest());
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    byId("composer").addEventListener("submit", (event) => this.#submit(event, send));
    this.#fit();
  }

  focus() {
    this.#box.focus();
  }

  #key(event) {
    // An input method confirms its word with Enter; that is no wish to send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  }

  #submit(event, send) {
    event.preventDefault();
    const text = wellFormed(this.#box.value).trim();
    if (!text) return;
    this.#box.value = "";
    this.#changed();
    this.#rest();
    this.#box.focus();
    send(text);
  }

  #changed() {
    memory.draft.set(this.#session, this.#box.value);
    this.#fit();
    if (!this.#box.value) return this.#rest();
    if (this.#typedAt === null || performance.now() - this.#typedAt > TYPING_AGAIN_SECONDS * 1000) {
      this.#typedAt = performance.now();
      this.#typing(true);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), TYPING_STOPS_SECONDS * 1000);
  }

  #rest() {
    clearTimeout(this.#timer);
    if (this.#typedAt !== null) this.#typing(false);
    this.#typedAt = null;
  }

  #fit() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
    const length = this.#box.value.length;
    byId("count").hidden = length < COUNT_FROM;
    byId("count").textContent = `${MOST - length} characters left`;
  }
}

/** Return the text without halves of emoji, which no server can store. */
function wellFormed(text) {
  return text.toWellFormed?.() ?? text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}
