/** Writes text letter by letter, at the pace it comes; all at once for those who want no motion. */
import { calm } from "./dom.js";

const LETTERS_PER_SECOND = 45;
const CATCH_UP_SECONDS = 1.5;
const FRESH_MOST = 16;
const DRY_MS = 800; // longer than a letter takes to appear

const segmenter = globalThis.Intl?.Segmenter && new Intl.Segmenter();
const letters = (text) => (segmenter ? Array.from(segmenter.segment(text), (part) => part.segment) : Array.from(text));

export class Quill {
  #element;
  #wrote;
  #settled = document.createTextNode("");
  #text = "";
  #due = 0;
  #then = 0;
  #frame = 0;
  #drying;

  /** How much of the text stands on the page, in UTF-16 units. */
  written = 0;

  /** `wrote()` is called whenever the text on the page grew. */
  constructor(element, wrote = () => {}) {
    this.#element = element;
    this.#wrote = wrote;
  }

  /** Write towards `text`, which begins with what is written; the first `from` units stand there at once. */
  write(text, from = this.written) {
    if (!this.#settled.parentNode) this.#element.replaceChildren(this.#settled);
    this.#text = text;
    if (from > this.written || calm.matches || document.hidden) this.#settle(calm.matches || document.hidden ? text.length : from);
    if (!this.#frame && this.written < text.length) {
      this.#then = performance.now();
      this.#frame = requestAnimationFrame((now) => this.#step(now));
    }
  }

  /** Wipe everything. */
  clear() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#drying);
    this.#frame = this.written = this.#due = 0;
    this.#text = this.#settled.data = "";
    this.#element.replaceChildren();
  }

  #step(now) {
    this.#frame = 0;
    const rest = letters(this.#text.slice(this.written));
    const pace = Math.max(LETTERS_PER_SECOND, rest.length / CATCH_UP_SECONDS);
    this.#due += ((now - this.#then) / 1000) * pace;
    const count = Math.min(Math.floor(this.#due), rest.length);
    this.#due = count < rest.length ? this.#due - count : 0;
    for (const letter of rest.slice(0, count)) this.#letter(letter);
    if (count) this.#wrote();
    this.#then = now;
    if (this.written < this.#text.length) this.#frame = requestAnimationFrame((later) => this.#step(later));
    else this.#drying = setTimeout(() => this.#settle(this.written), DRY_MS);
  }

  #letter(letter) {
    const fresh = document.createElement("span");
    fresh.className = "letter";
    fresh.textContent = letter;
    this.#element.append(fresh);
    this.written += letter.length;
    // Old letters join one text node, so that a long answer costs no more than a short one.
    if (this.#element.childElementCount > FRESH_MOST) {
      const oldest = this.#element.firstElementChild;
      this.#settled.data += oldest.textContent;
      oldest.remove();
    }
  }

  #settle(upTo) {
    clearTimeout(this.#drying);
    this.#settled.data = this.#text.slice(0, upTo);
    this.#element.replaceChildren(this.#settled);
    this.written = upTo;
    this.#wrote();
  }
}
