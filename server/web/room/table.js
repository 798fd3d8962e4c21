/** One seat at one table: brings the line, the log and what is on the page together. */
import * as api from "./api.js";
import { Composer } from "./composer.js";
import { announce, byId, make } from "./dom.js";
import { History } from "./history.js";
import { Line } from "./line.js";
import { linkOf } from "./lobby.js";
import * as memory from "./memory.js";
import { Outbox, newId } from "./outbox.js";
import { showPending } from "./pending.js";
import { People } from "./people.js";
import { Spirit, ending } from "./spirit.js";
import { showBanner, showClosed, showSession, toast } from "./signs.js";
import { Transcript } from "./transcript.js";

export class Table {
  #session;
  #self;
  #door;
  #people = new People();
  #transcript;
  #history;
  #spirit;
  #outbox;
  #line;

  /** `door` has `left()` and `refused(error)`: the two ways out. */
  constructor(session, door) {
    this.#session = session;
    this.#door = door;
    this.#self = { user_id: newId(), ...memory.self.get(session.id) };
    this.#remember();
    this.#transcript = new Transcript({ seen: () => this.#seen() });
    this.#spirit = new Spirit({ grew: () => this.#transcript.follow() });
    this.#history = new History(session.id, this.#self.token, {
      start: (messages) => this.#begin(messages),
      show: (message) => this.#show(message),
      older: (messages) => this.#transcript.prepend(messages),
    });
    this.#outbox = new Outbox({ send: (entry) => this.#send(entry), changed: (entries) => this.#pending(entries) });
    this.#line = new Line(() => this.#join(), this.#listeners());
  }

  /** Join, and bring the page to life. */
  sitDown() {
    showSession(this.#session);
    this.#buttons();
    const typing = (isTyping) => this.#line.mention("typing", { is_typing: isTyping });
    new Composer(this.#session.id, { send: (text) => this.#say(text), typing }).focus();
    this.#outbox.restore(memory.unsent.get(this.#session.id));
    this.#transcript.me = this.#self.user_id;
    if (this.#session.is_active === false) this.#readOnly("ended");
    else this.#line.open();
  }

  #listeners() {
    return {
      up: (recovered) => recovered && this.#recovered(),
      down: () => this.#down(),
      refused: (error) => this.#refused(error),
      session_joined: (joined) => this.#joined(joined),
      message_received: (message) => this.#history.live(message),
      spirit_thinking: (turn) => this.#spirit.begin(turn),
      spirit_delta: (delta) => this.#spirit.delta(delta),
      spirit_finished: (end) => this.#finished(end),
      user_joined: (user) => this.#people.add(user) && this.#note(`${user.user_name} sits down.`),
      user_left: (user) => this.#people.remove(user) && this.#note(`${user.user_name} has left the table.`),
      typing: (typing) => this.#people.typing(typing),
      session_updated: (session) => this.#updated(session),
      session_closed: ({ reason }) => this.#readOnly(reason),
      error: (error) => toast(error.message),
    };
  }

  #join() {
    const { user_id, user_name, token } = this.#self;
    const last_seq = this.#history.last;
    // With a token it is the token that says who one is.
    return { session_id: this.#session.id, user_name, ...(token ? { token } : { user_id }), ...(last_seq && { last_seq }) };
  }

  #joined({ session, user, users, head, turn }) {
    Object.assign(this.#self, { user_id: user.user_id, user_name: user.user_name });
    this.#remember();
    memory.recent.add(session);
    this.#transcript.me = user.user_id;
    this.#people.set(users, user.user_id);
    document.body.dataset.role = user.role;
    this.#updated(session);
    this.#spirit.resume(turn);
    this.#history.joined(head);
    this.#ready();
  }

  #ready() {
    showBanner("");
    document.body.dataset.flame = "lit";
    this.#outbox.open();
  }

  /** The server replays what was missed, but does not say how far it is. */
  #recovered() {
    this.#ready();
    this.#history.check();
  }

  #down() {
    this.#outbox.close();
    this.#people.clearTyping();
    document.body.dataset.flame = "guttering";
    showBanner("The line is lost. Coming back …", () => this.#line.hurry());
  }

  #refused(error) {
    if (error.code === "SESSION_CLOSED") return this.#readOnly("ended");
    this.#line.close();
    this.#door.refused(error);
  }

  #readOnly(reason) {
    this.#line.close();
    this.#people.set([], this.#self.user_id);
    this.#spirit.resume(null);
    this.#history.joined(0);
    showClosed(reason);
  }

  #updated(session) {
    this.#session = session;
    this.#spirit.name = session.spirit?.name ?? "Spirit";
    showSession(session);
  }

  #say(text) {
    this.#outbox.add(text);
    this.#transcript.toEnd();
  }

  async #send(entry) {
    const body = { message: entry.text, client_message_id: entry.id };
    entry.seq = (await this.#line.ask("send_message", body)).seq;
    this.#history.expect(entry.seq);
    this.#outbox.arrived(this.#history.last);
  }

  #begin(messages) {
    this.#transcript.start(messages, memory.lastRead.get(this.#session.id));
    for (const message of messages) this.#settle(message);
    this.#outbox.arrived(this.#history.last);
    this.#seen();
  }

  /** An own message came back from the room: it is no longer on its way. */
  #settle(message) {
    if (message.user_id === this.#self.user_id) this.#outbox.settle(message.client_message_id);
  }

  #pending(entries) {
    const unsettled = entries.map(({ id, text }) => ({ id, text }));
    memory.unsent.set(this.#session.id, unsettled);
    showPending(entries, { retry: (id) => this.#outbox.retry(id), remove: (id) => this.#outbox.settle(id) });
    this.#transcript.follow();
  }

  #show(message) {
    const written = message.is_spirit ? this.#spirit.handOver(message) : null;
    this.#settle(message);
    if (message.user_id !== this.#self.user_id) announce(`${message.user_name}: ${message.message}`);
    this.#people.typing({ user_id: message.user_id, is_typing: false });
    this.#transcript.append(message, written);
    this.#seen();
  }

  #finished(end) {
    this.#spirit.finish(end);
    const text = ending(end, this.#session.spirit?.name);
    if (text) this.#note(text);
  }

  #note(text) {
    this.#transcript.note(text);
    announce(text);
  }

  #seen() {
    const { unread } = this.#transcript;
    if (!unread && !document.hidden && this.#history.last) memory.lastRead.set(this.#session.id, this.#history.last);
    document.title = `${unread ? `(${unread}) ` : ""}${this.#session.name} · Séance`;
  }

  #remember() {
    memory.self.set(this.#session.id, this.#self);
  }

  #buttons() {
    const ask = (event) => {
      byId("say").focus();
      this.#line.ask(event).catch((error) => toast(error.message));
    };
    byId("summon").addEventListener("click", () => ask("summon_spirit"));
    byId("stop").addEventListener("click", () => ask("stop_spirit"));
    byId("invite").addEventListener("click", () => this.#invite());
    byId("leave").addEventListener("click", () => {
      this.#line.close();
      this.#door.left();
    });
  }

  async #invite() {
    const { token } = this.#self;
    // Where tokens are asked for, each invitation carries its own; who may not make one shares the bare link.
    const theirs = token && (await api.mintToken(this.#session.id, token).catch(() => undefined));
    const link = new URL(linkOf(this.#session.id, theirs), location.origin).href;
    const copied = await copy(link);
    if (copied) toast("The invitation is copied: whoever has the link may sit down.");
    else toast("Copy this link: ", make("span", { class: "link" }, link));
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no secure origin, or not allowed: the link is shown instead
  }
}
