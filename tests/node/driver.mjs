// Drives several Socket.IO clients for a test: one JSON command per line on stdin, one JSON answer or event per line on
// stdout. Buffers travel as {"$bytes": base64}. Started with the folder of node_modules as its only argument.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const sockets = new Map();

const write = (record) => process.stdout.write(`${JSON.stringify(record, outward)}\n`);

// `this[key]` is the value before Buffer's own toJSON ran.
function outward(key, value) {
  const original = this[key];
  return Buffer.isBuffer(original) ? { $bytes: original.toString("base64") } : value;
}

function inward(_, value) {
  return typeof value?.$bytes === "string" ? Buffer.from(value.$bytes, "base64") : value;
}

const stateOf = (socket) => ({
  connected: socket.connected,
  id: socket.id ?? null,
  recovered: socket.recovered ?? false,
  transport: socket.io.engine?.transport?.name ?? null,
});

const errorOf = (error) => ({ message: error.message, data: error.data ?? null });

// Every event of a socket, its own and the server's, goes out in the order the client saw it.
function watch(name, socket) {
  const tell = (event, args) => write({ socket: name, event, args });
  socket.on("connect", () => tell("connect", [stateOf(socket)]));
  socket.on("disconnect", (reason) => tell("disconnect", [reason]));
  socket.on("connect_error", (error) => tell("connect_error", [errorOf(error)]));
  socket.onAny((event, ...args) => tell(event, args));
  socket.io.on("reconnect_attempt", (attempt) => tell("$reconnect_attempt", [attempt]));
  // Each connection has an engine of its own, made when it opens.
  socket.io.on("open", () => socket.io.engine.on("upgrade", (transport) => tell("$upgrade", [transport.name])));
}

const commands = {
  connect({ socket: name, library, url, options }) {
    const { io } = require(library);
    const socket = io(url, { forceNew: true, autoConnect: false, ...options });
    sockets.set(name, socket);
    watch(name, socket);
    socket.connect();
  },
  emit({ socket: name, event, args }) {
    sockets.get(name).emit(event, ...args);
  },
  call({ socket: name, event, args, timeout_ms: milliseconds }) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ack of ${event} in ${milliseconds} ms`)), milliseconds);
      sockets.get(name).emit(event, ...args, (...answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  },
  state: ({ socket: name }) => stateOf(sockets.get(name)),
  // The client's own goodbye.
  disconnect({ socket: name }) {
    sockets.get(name).disconnect();
  },
  reconnect({ socket: name, auth }) {
    const socket = sockets.get(name);
    if (auth !== null) socket.auth = auth;
    socket.connect();
  },
  // The connection breaks under the client, which then reconnects by itself.
  drop({ socket: name }) {
    sockets.get(name).io.engine.close();
  },
};

async function obey(line) {
  const command = JSON.parse(line, inward);
  try {
    const value = await commands[command.op](command);
    write({ id: command.id, value: value ?? null });
  } catch (error) {
    write({ id: command.id, error: error.message });
  }
}

createInterface({ input: process.stdin })
  .on("line", obey)
  .on("close", () => process.exit(0));
