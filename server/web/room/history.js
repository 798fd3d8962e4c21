/** Fills the log from the server: the first page, holes, and what is older. */
import { ApiError, readMessages } from "./api.js";
import { byId } from "./dom.js";
import { MessageLog } from "./log.js";

const PAGE = 50;
const CATCH_UP_PAGE = 200;
const CATCH_UP_MOST = 1_000; // further behind than this, the page starts over at the newest messages
const NEAR_TOP_PX = 300;
const PATIENCE_SECONDS = 1; // the room replays by itself first
const RETRY_SECONDS = 3;

export class History {
  #session;
  #token;
  #page;
  #log = new MessageLog();
  #begun = false;
  #busy = false;
  #again = false;
  #patience;
  #retry;
  #more = false;

  /** `page` has `start(messages)`, `show(message)` and `older(messages)`; each message comes once, in order. */
  constructor(session, token, page) {
    this.#session = session;
    this.#token = token;
    this.#page = page;
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
    byId("scroll").addEventListener("scroll", () => this.#fillScreen(), { passive: true });
  }

  /** The highest `seq` on the page, null before the first page. */
  get last() {
    return this.#begun ? this.#log.last : null;
  }

  /** The room says how far it is; begin with its newest page, or fill what the replay does not bring. */
  joined(head) {
    this.#log.notice(head);
    if (this.#begun) this.#patiently();
    else this.#fill(() => this.#begin());
  }

  live(message) {
    for (const due of this.#log.accept(message)) this.#page.show(due);
    this.#patiently();
  }

  /** An own message got this `seq`, so it must arrive. */
  expect(seq) {
    this.#log.notice(seq);
    this.#patiently();
  }

  /** Ask whether anything was missed: a lost last message shows in no other way. */
  check() {
    if (this.#begun && this.#busy) this.#again = true;
    else if (this.#begun) this.#fill(() => this.#catchUp());
  }

  #patiently() {
    clearTimeout(this.#patience);
    if (this.#begun && this.#log.behind > 0) this.#patience = setTimeout(() => this.check(), PATIENCE_SECONDS * 1000);
  }

  async #fill(work) {
    if (this.#busy) return;
    clearTimeout(this.#retry);
    this.#busy = true;
    try {
      await work();
      this.#note("");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#note(`What was said cannot be read just now: ${error.message} Trying again …`);
      this.#retry = setTimeout(() => this.#fill(work), RETRY_SECONDS * 1000);
      return;
    } finally {
      this.#busy = false;
    }
    if (this.#again) this.check();
    else this.#patiently();
  }

  async #begin() {
    const { messages, more } = await readMessages(this.#session, { limit: PAGE }, this.#token);
    const due = this.#log.start(messages);
    this.#begun = true;
    this.#page.start(due);
    this.#setMore(more);
    setTimeout(() => this.#fillScreen());
  }

  async #catchUp() {
    this.#again = false;
    if (this.#log.behind > CATCH_UP_MOST) return this.#begin();
    for (let more = true; more; ) {
      const page = await readMessages(this.#session, { after_seq: this.#log.last, limit: CATCH_UP_PAGE }, this.#token);
      for (const due of this.#log.accept(...page.messages)) this.#page.show(due);
      more = page.more && page.messages.length > 0;
    }
  }

  async #turnBack() {
    if (!this.#more || this.#busy) return;
    this.#note("Turning back the pages …");
    await this.#fill(async () => {
      const bounds = { before_seq: this.#log.first, limit: PAGE };
      const { messages, more } = await readMessages(this.#session, bounds, this.#token);
      this.#page.older(this.#log.older(messages));
      this.#setMore(more);
    });
    this.#fillScreen();
  }

  /** A page may be shorter than the screen, and then nobody can scroll up to ask for more. */
  #fillScreen() {
    if (byId("scroll").scrollTop < NEAR_TOP_PX) this.#turnBack();
  }

  #note(text) {
    byId("older").textContent = text;
    byId("older").hidden = !text;
  }

  #setMore(more) {
    this.#more = more;
    byId("beginning").hidden = more;
  }
}
