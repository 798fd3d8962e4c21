/** What the spirit is doing, as far as this connection knows. Does no input or output. */
export class Turns {
  #turns = new Map();

  /** The turn to show: `{id, text, whole}`; `whole` is false when a piece was missed. Null when the spirit is silent. */
  get current() {
    return this.#turns.values().next().value ?? null;
  }

  begin(id) {
    if (!this.#turns.has(id)) this.#turns.set(id, { id, text: "", next: 0, whole: true });
  }

  /** Take over a turn that was under way at the join; the next delta has `index`. */
  resume({ turn_id: id, index, text }) {
    this.#turns.set(id, { id, text, next: index, whole: true });
  }

  delta({ turn_id: id, index, text }) {
    this.begin(id);
    const turn = this.#turns.get(id);
    if (index < turn.next) return;
    if (index > turn.next) turn.whole = false;
    turn.next = index + 1;
    if (turn.whole) turn.text += text;
  }

  /** Forget a turn; tell whether it was known. */
  finish(id) {
    return this.#turns.delete(id);
  }

  clear() {
    this.#turns.clear();
  }
}
