/** The Socket.IO connection: joins, comes back by itself, and says plainly what became of it. */
import { io } from "./vendor/socket.io.esm.min.js";

const ACK_MS = 10_000;
const BACK_SECONDS = 1;
const BACK_SECONDS_MOST = 30;
const EVENTS = [
  "session_joined", "message_received", "spirit_thinking", "spirit_delta", "spirit_finished",
  "user_joined", "user_left", "typing", "session_updated", "session_closed", "error",
];

export class Line {
  #socket;
  #listeners;
  #timer;
  #refusals = 0;
  #drainSeconds = null;
  #over = false;

  /**
   * `join()` returns the join object for each attempt. `listeners` holds one function per event of the server,
   * and `up(recovered)`, `down()` and `refused(error)`; the last means that trying again is no use.
   */
  constructor(join, listeners) {
    this.#listeners = listeners;
    // WebSocket first needs no sticky proxy; polling remains where WebSockets are blocked.
    const transports = { transports: ["websocket", "polling"], tryAllTransports: true };
    this.#socket = io({ ...transports, autoConnect: false, reconnectionDelayMax: 5000, auth: (give) => give(join()) });
    for (const name of EVENTS) this.#socket.on(name, (data) => listeners[name](data));
    this.#socket.on("server_draining", ({ retry_after }) => (this.#drainSeconds = retry_after));
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("connect_error", (error) => this.#failed(error));
    this.#socket.on("disconnect", (reason) => this.#disconnected(reason));
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.#socket.io.engine?.close());
  }

  open() {
    this.#socket.connect();
  }

  /** Try now instead of at the end of a pause. */
  hurry() {
    if (this.#over || this.#socket.connected) return;
    clearTimeout(this.#timer);
    this.#socket.disconnect().connect();
  }

  /** Leave for good. */
  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#socket.connected) this.#socket.emit("leave_session");
    this.#socket.disconnect();
  }

  /** Resolve to the ack's data; reject with `{message, retryable, retryAfter, lost}`. */
  async ask(event, body) {
    if (!this.#socket.connected) throw { lost: true, message: "Not connected." };
    let answer;
    try {
      answer = await this.#socket.timeout(ACK_MS).emitWithAck(event, ...(body ? [body] : []));
    } catch {
      throw { lost: true, message: "No answer came." };
    }
    if (answer.success) return answer.data;
    throw { ...answer.error, retryAfter: answer.error.details?.retry_after };
  }

  /** Say something that may be lost. */
  mention(event, body) {
    if (this.#socket.connected) this.#socket.volatile.emit(event, body);
  }

  #connected() {
    this.#refusals = 0;
    this.#drainSeconds = null;
    this.#listeners.up(this.#socket.recovered);
  }

  #failed(error) {
    if (error.data && !error.data.retryable) return this.#listeners.refused(error.data);
    this.#listeners.down();
    // The client library goes on by itself after a broken transport, but not after a refusal.
    if (!this.#socket.active) this.#comeBack(error.data?.details?.retry_after);
  }

  #disconnected(reason) {
    if (this.#over) return;
    this.#listeners.down();
    if (reason === "io server disconnect") this.#comeBack(this.#drainSeconds);
  }

  #comeBack(seconds) {
    const pause = seconds ?? Math.min(BACK_SECONDS * 2 ** this.#refusals, BACK_SECONDS_MOST);
    this.#refusals += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over || this.#socket.connect(), pause * 1000);
  }
}
