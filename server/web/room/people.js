/** Who sits at the table, and who is about to speak. */
import { byId, make } from "./dom.js";

const TYPING_SECONDS = 6;
const SHOWN_MOST = 12;
const HUES = 6;

/** Return the number of a person's colour: the same everywhere, for everyone. */
export function hueOf(userId) {
  let sum = 7;
  for (const letter of userId) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % HUES;
}

export class People {
  #here = new Map();
  #typing = new Map();
  #me = null;

  /** Show who is there; `me` is the own user id. */
  set(users, me) {
    this.#me = me;
    this.#here = new Map(users.map((user) => [user.user_id, user.user_name]));
    this.#show();
  }

  /** Tell whether the person is new at the table. */
  add({ user_id, user_name }) {
    const isNew = !this.#here.has(user_id);
    this.#here.set(user_id, user_name);
    this.#show();
    return isNew;
  }

  /** Tell whether the person was at the table. */
  remove({ user_id }) {
    const wasHere = this.#here.delete(user_id);
    this.typing({ user_id, is_typing: false });
    this.#show();
    return wasHere;
  }

  typing({ user_id, user_name, is_typing }) {
    if (user_id === this.#me) return;
    clearTimeout(this.#typing.get(user_id)?.timer);
    this.#typing.delete(user_id);
    if (is_typing) {
      const timer = setTimeout(() => this.typing({ user_id, is_typing: false }), TYPING_SECONDS * 1000);
      this.#typing.set(user_id, { user_name, timer });
    }
    byId("typing").textContent = sentence([...this.#typing.values()].map((one) => one.user_name));
    this.#show();
  }

  clearTyping() {
    for (const user_id of this.#typing.keys()) this.typing({ user_id, is_typing: false });
  }

  #show() {
    const shown = [...this.#here].slice(0, SHOWN_MOST).map(([id, name]) => this.#seat(id, name));
    const rest = this.#here.size - shown.length;
    if (rest > 0) shown.push(make("li", { class: "rest" }, `and ${rest} more`));
    byId("people").replaceChildren(...shown);
  }

  #seat(id, name) {
    const writing = this.#typing.has(id) && "writing";
    const label = id === this.#me ? `${name} (you)` : name;
    return make("li", { class: writing, "data-hue": hueOf(id) }, make("span", { dir: "auto" }, label));
  }
}

function sentence(names) {
  if (!names.length) return "";
  if (names.length > 3) return "Several are writing …";
  return `${new Intl.ListFormat("en").format(names)} ${names.length > 1 ? "are" : "is"} writing …`;
}
