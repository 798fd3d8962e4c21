/** Own messages on their way, below what was said. */
import { byId, make } from "./dom.js";

const STATES = { sending: "on its way …", sent: "delivered", failed: "not delivered" };

/** Show the outbox; `retry(id)` and `remove(id)` are what its author may do with a message that failed. */
export function showPending(entries, { retry, remove }) {
  byId("pending").replaceChildren(...entries.map((entry) => line(entry, retry, remove)));
}

function line(entry, retry, remove) {
  const text = make("p", { class: "text", dir: "auto" }, entry.text);
  const state = make("p", { class: "state" }, STATES[entry.state]);
  if (entry.state === "failed") {
    if (entry.error) state.append(`: ${entry.error}`);
    state.append(" ", make("button", { type: "button", click: () => retry(entry.id) }, "Try again"));
    state.append(" ", make("button", { type: "button", click: () => remove(entry.id) }, "Discard"));
  }
  return make("li", { class: `said mine ${entry.state}` }, text, state);
}
