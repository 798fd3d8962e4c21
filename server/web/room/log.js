/**
 * The order of a conversation: messages in, in any order and repeated; messages out, by `seq`, once, without holes.
 * Does no input or output: whoever asks history for what is missing stands outside.
 */
export class MessageLog {
  #waiting = new Map();
  #started = false;
  #head = 0;

  /** The lowest and highest `seq` that came out; 0 and 0 before the first. */
  first = 0;
  last = 0;

  /** Begin, or begin anew, with a page that ends at the newest message; return what comes out. */
  start(page) {
    this.#started = true;
    this.first = page.length ? page[0].seq : 0;
    this.last = page.length ? page[0].seq - 1 : 0;
    return this.accept(...page);
  }

  /** Take messages as they come; return those that are now due, ascending. */
  accept(...messages) {
    for (const message of messages) {
      this.notice(message.seq);
      if (!this.#started || message.seq > this.last) this.#waiting.set(message.seq, message);
    }
    return this.#started ? this.#due() : [];
  }

  /** Take a page of older messages; return those that are new, ascending. */
  older(page) {
    const fresh = page.filter((message) => message.seq < this.first);
    if (fresh.length) this.first = fresh[0].seq;
    return fresh;
  }

  /** Hear that a message with this `seq` exists. */
  notice(seq) {
    this.#head = Math.max(this.#head, seq);
  }

  /** How many messages are known to exist but have not come out. */
  get behind() {
    return this.#head - this.last;
  }

  #due() {
    const due = [];
    while (this.#waiting.has(this.last + 1)) {
      this.last += 1;
      due.push(this.#waiting.get(this.last));
      this.#waiting.delete(this.last);
    }
    if (!this.first && due.length) this.first = due[0].seq;
    return due;
  }
}
