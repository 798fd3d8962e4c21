/** The conversation on the page: what was said, in order, with a mark at what is new. */
import { byId, clock, make } from "./dom.js";
import { hueOf } from "./people.js";
import { Quill } from "./quill.js";

const NEAR_END_PX = 80;
const TOGETHER_MS = 5 * 60_000;

export class Transcript {
  #me = null;
  #scroll = byId("scroll");
  #log = byId("log");
  #unread = 0;
  #stuck = true;
  #top = 0;
  #mark = null;
  #seen;

  /** `seen()` is called when everything down to the end has been looked at. */
  constructor({ seen }) {
    this.#seen = seen;
    this.#scroll.addEventListener("scroll", () => this.#look(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#look());
    byId("newest").addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => this.follow());
    sizes.observe(this.#scroll);
    sizes.observe(byId("sheet"));
  }

  set me(userId) {
    this.#me = userId;
  }

  /** Start over with a page; `readTo` is the last `seq` that was read, null for everything. */
  start(messages, readTo) {
    this.#log.replaceChildren();
    this.#unmark();
    for (const message of messages) {
      const isNew = readTo !== null && message.seq > readTo && !this.#isMine(message);
      if (isNew && !this.#mark) this.#setMark();
      this.#log.append(this.#line(message));
    }
    this.#stuck = !this.#mark;
    if (this.#mark) this.#mark.scrollIntoView({ block: "center" });
    this.follow();
  }

  /** Add a message at the end; letters from `written` on appear one by one. */
  append(message, written = null) {
    const mine = this.#isMine(message);
    if (!mine && this.#isAway) this.#count();
    const line = this.#line(message);
    this.#log.append(line);
    if (written !== null) new Quill(line.querySelector(".text"), () => this.follow()).write(message.message, written);
    this.follow(mine);
  }

  /** Put older messages in front, without moving what is being read. */
  prepend(messages) {
    const before = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    const lines = document.createDocumentFragment();
    for (const message of messages) lines.append(this.#line(message, lines.lastElementChild));
    const next = this.#log.firstElementChild;
    this.#log.prepend(lines);
    if (next) this.#regroup(next);
    this.#top = this.#scroll.scrollTop = this.#scroll.scrollHeight - before;
  }

  /** Add a line that nobody said: who came, who left. */
  note(text) {
    this.#log.append(make("li", { class: "note" }, text));
    this.follow();
  }

  /** Keep the end in sight if it was, or in any case. */
  follow(always = false) {
    if (always || this.#stuck) this.toEnd();
  }

  toEnd() {
    this.#stuck = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#top = this.#scroll.scrollTop;
  }

  get unread() {
    return this.#unread;
  }

  get #isAway() {
    return document.hidden || !this.#stuck;
  }

  #isMine(message) {
    return !message.is_spirit && message.user_id === this.#me;
  }

  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    // Text that grows leaves the end out of sight for a frame; only a person scrolls upwards.
    this.#stuck = isNear || (this.#stuck && scrollTop >= this.#top);
    this.#top = scrollTop;
    if (!this.#isAway) {
      this.#unread = 0;
      this.#seen();
    }
    this.#showCount();
  }

  #count() {
    if (!this.#unread) {
      this.#unmark();
      this.#setMark();
    }
    this.#unread += 1;
    this.#showCount();
  }

  #showCount() {
    byId("newest").hidden = this.#stuck;
    byId("newest").textContent = this.#unread ? `${this.#unread} new ↓` : "To the newest ↓";
  }

  #setMark() {
    this.#mark = make("li", { class: "mark" }, make("span", {}, "New"));
    this.#log.append(this.#mark);
  }

  #unmark() {
    this.#mark?.remove();
    this.#mark = null;
  }

  #line(message, previous = this.#log.lastElementChild) {
    const kind = message.is_spirit ? "spirit" : this.#isMine(message) ? "mine" : "theirs";
    const hue = message.is_spirit ? null : hueOf(message.user_id);
    const facts = { "data-seq": message.seq, "data-user": message.user_id, "data-time": message.timestamp };
    const line = make("li", { class: `said ${kind}`, "data-hue": hue, ...facts });
    const when = make("time", { datetime: message.timestamp }, clock(message.timestamp));
    const who = make("span", { class: "who", dir: "auto" }, message.user_name);
    line.append(make("p", { class: "head" }, who, " ", when), textOf(message));
    line.classList.toggle("goes-on", goesOn(line, previous));
    return line;
  }

  #regroup(line) {
    line.classList.toggle("goes-on", goesOn(line, line.previousElementSibling));
  }
}

function textOf(message) {
  return make("p", { class: message.is_spirit ? "text voice" : "text", dir: "auto" }, message.message);
}

/** Tell whether a line continues what the same person said just before. */
function goesOn(line, previous) {
  if (!previous || previous.dataset.user !== line.dataset.user) return false;
  return new Date(line.dataset.time) - new Date(previous.dataset.time) < TOGETHER_MS;
}
