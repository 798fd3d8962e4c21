/** The spirit's turn on the page: it stirs, it writes, it falls silent. */
import { announce, byId } from "./dom.js";
import { Quill } from "./quill.js";
import { Turns } from "./turns.js";

// A turn whose process died ends within 30 s by promise; past this the page stops waiting for the news.
const SILENCE_SECONDS = 45;

export class Spirit {
  #turns = new Turns();
  #quill;
  #shown = null;
  #timer;
  #name = "Spirit";

  /** `grew()` is called whenever the turn takes more room. */
  constructor({ grew }) {
    this.#quill = new Quill(byId("turn-text"), grew);
  }

  set name(name) {
    this.#name = name;
  }

  begin({ turn_id }) {
    this.#turns.begin(turn_id);
    this.#show();
  }

  delta(delta) {
    this.#turns.delta(delta);
    this.#show();
  }

  /** Begin again after a join: only `turn` is under way, if anything is. */
  resume(turn) {
    this.#turns.clear();
    if (turn) this.#turns.resume(turn);
    this.#show();
  }

  /** Hand over to the message itself: return how much of it stands on the page, null if nothing was awaited. */
  handOver(message) {
    const turn = this.#turns.current;
    if (!turn) return null;
    const written = turn.whole && message.message.startsWith(turn.text) ? this.#quill.written : 0;
    this.#turns.finish(turn.id);
    this.#show();
    return written;
  }

  finish({ turn_id }) {
    this.#turns.finish(turn_id);
    this.#show();
  }

  #show() {
    const turn = this.#turns.current;
    if (turn?.id !== this.#shown) this.#change(turn);
    if (turn?.text) this.#quill.write(turn.text);
    byId("turn").dataset.speaks = Boolean(turn?.text);
    byId("turn-name").textContent = turn?.text ? this.#name : `${Called(this.#name)} stirs …`;
    clearTimeout(this.#timer);
    if (turn) this.#timer = setTimeout(() => this.finish({ turn_id: turn.id }), SILENCE_SECONDS * 1000);
  }

  #change(turn) {
    this.#shown = turn?.id ?? null;
    this.#quill.clear();
    byId("turn").hidden = !turn;
    document.body.classList.toggle("haunted", Boolean(turn));
    if (turn) announce(`${Called(this.#name)} stirs.`);
  }
}

/** Return what to call the spirit within a sentence: its name, if someone gave it one. */
export const called = (name) => (!name || name === "Spirit" ? "the spirit" : name);

/** Return the same at the beginning of a sentence. */
export const Called = (name) => called(name).replace(/^the /, "The ");

/** Return the sentence for how a turn ended; empty for a turn that simply ended. */
export function ending({ reason, error, stopped_by }, name) {
  const spirit = Called(name);
  if (reason === "stopped") return stopped_by ? `${stopped_by.user_name} hushed ${called(name)}.` : `${spirit} was hushed.`;
  if (reason === "interrupted") return `${spirit} was interrupted.`;
  if (reason === "failed") return `${spirit} could not answer. ${error?.message ?? ""}`.trim();
  if (reason === "skipped") return `${spirit} stays silent. ${error?.message ?? ""}`.trim();
  return "";
}
