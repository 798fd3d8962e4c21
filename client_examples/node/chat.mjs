// Chat from a terminal: node chat.mjs --name Ada [--session ID] [--once "text"] [--url http://localhost:8000] [--token …]
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { io } from "socket.io-client";

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8000" },
    session: { type: "string" },
    name: { type: "string", default: "Ada" },
    token: { type: "string" },
    once: { type: "string" },
  },
});
const ANSWER_SECONDS = 60;
const SILENCE_SECONDS = 5; // without a sign of the spirit for so long, it is not going to answer

const session_id = options.session ?? (await createSession());
const joined = deferred();
const thinking = deferred();
const answered = deferred();
let user_id;
let last_seq = 0;
let streaming = false;

async function createSession() {
  const headers = { "Content-Type": "application/json" };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  const body = JSON.stringify({ name: "From a terminal" });
  const { success, data, error } = await (await fetch(`${options.url}/api/sessions`, { method: "POST", headers, body })).json();
  if (!success) fail(error);
  console.log(`session ${data.id}`);
  if (data.host_token) options.token = data.host_token;
  return data.id;
}

// The function is called at each connect: after a break the server replays what came after `last_seq`.
const auth = (give) => give({ session_id, user_name: options.name, user_id, token: options.token, last_seq });
// With `retries` the client sends again until the acknowledgement; client_message_id makes that safe.
const socket = io(options.url, { auth, retries: 5, ackTimeout: 5000 });

socket.on("session_joined", ({ user, users }) => {
  user_id = options.token ? undefined : user.user_id; // with a token, the token says who one is
  console.log(`joined as ${user.user_name}; here: ${users.map((one) => one.user_name).join(", ")}`);
  joined.resolve();
});
socket.on("message_received", ({ seq, user_name, message, is_spirit }) => {
  if (seq <= last_seq) return; // delivery is at least once, in order
  last_seq = seq;
  if (streaming && is_spirit) process.stdout.write("\n");
  else console.log(`${user_name}: ${message}`);
  if (is_spirit) streaming = false;
});
socket.on("spirit_thinking", () => thinking.resolve(true));
socket.on("spirit_delta", ({ index, text }) => {
  if (index === 0) process.stdout.write("Spirit: ");
  if (index === 0) streaming = true;
  if (streaming) process.stdout.write(text);
});
socket.on("spirit_finished", ({ reason }) => {
  if (reason !== "completed") console.log(`(the spirit: ${reason})`);
  answered.resolve();
});
socket.on("user_joined", ({ user_name }) => console.log(`* ${user_name} joined`));
socket.on("user_left", ({ user_name }) => console.log(`* ${user_name} left`));
socket.on("error", (error) => console.error(`error: ${error.message}`));
socket.on("connect_error", (error) => {
  if (error.data && !error.data.retryable) fail(error.data);
  if (!socket.active) setTimeout(() => socket.connect(), 1000 * (error.data.details.retry_after ?? 1));
});
socket.on("disconnect", (reason) => {
  if (reason === "io client disconnect") return;
  console.error(`connection lost: ${reason}`);
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
});
socket.on("session_closed", ({ reason }) => {
  console.log(`the session has ${reason}`);
  process.exit(0);
});

async function send(message) {
  const answer = await socket.emitWithAck("send_message", { message, client_message_id: randomUUID() });
  if (!answer.success) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer.data;
}

if (options.once !== undefined) await once(options.once);
else chat();

async function once(text) {
  await joined.promise;
  console.log("ack", JSON.stringify(await send(text).catch(fail)));
  const stirs = await Promise.race([thinking.promise, after(SILENCE_SECONDS)]);
  if (!stirs) console.log("(no answer)");
  else await Promise.race([answered.promise, after(ANSWER_SECONDS)]);
  socket.disconnect();
  process.exit(0);
}

function chat() {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => line.trim() && send(line.trim()).catch((error) => console.error(`not sent: ${error.message}`)));
  lines.on("close", () => {
    socket.disconnect();
    process.exit(0);
  });
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

function after(seconds) {
  return new Promise((done) => setTimeout(() => done(false), seconds * 1000));
}

function fail({ code, message }) {
  console.error(`${code ?? "error"}: ${message}`);
  process.exit(1);
}
