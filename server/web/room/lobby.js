/** The door: start a séance, or sit down at one. */
import * as api from "./api.js";
import { byId, make } from "./dom.js";
import * as memory from "./memory.js";

const UNTITLED = "An evening by candlelight";

/**
 * Show the door of a session, or of a new one when `wanted` is null.
 * `enter(session, user_name, token)` is called once the person may try to sit down.
 */
export async function showLobby(wanted, enter) {
  byId("lobby").hidden = false;
  byId("name").value = memory.name.get();
  let begin = (name) => start(name, enter);
  byId("start").addEventListener("submit", (event) => onSubmit(event, (name) => begin(name)));
  byId("join").addEventListener("submit", openLink);
  showRecent(wanted?.id);
  byId("name").focus();
  if (wanted) begin = (await showInvitation(wanted, enter)) ?? begin;
}

/** Say what went wrong, above the form. */
export function showLobbyError(message) {
  byId("lobby-error").textContent = message;
  byId("lobby-error").hidden = false;
}

/** Show who invites; return what the button is to do, null when there is no such session. */
async function showInvitation({ id, token }, enter) {
  byId("new-session").hidden = true;
  byId("begin").disabled = true; // until it is known what to begin
  try {
    const session = await api.readSession(id, token);
    const users = await api.readUsers(id, token).catch(() => []);
    byId("lobby-line").textContent = invitation(session, users);
    byId("begin").textContent = session.is_active ? "Take a seat" : "Read what was said";
    return (name) => enter(session, name, token);
  } catch (error) {
    return noInvitation(id, error);
  } finally {
    byId("begin").disabled = false;
  }
}

function noInvitation(id, error) {
  const isNowhere = error.code === "SESSION_NOT_FOUND";
  showLobbyError(isNowhere ? "There is no such séance. Start one of your own." : error.message);
  byId("new-session").hidden = !isNowhere;
  if (!isNowhere) byId("begin").textContent = "Try again";
  if (isNowhere) memory.recent.remove(id);
  return isNowhere ? null : () => location.reload();
}

function invitation(session, users) {
  if (!session.is_active) return `“${session.name}” has ended.`;
  const names = users.map((user) => user.user_name);
  const there = names.length ? `${new Intl.ListFormat("en").format(names)} ${names.length > 1 ? "are" : "is"} there.` : "Nobody is there yet.";
  return `You are invited to “${session.name}”. ${there}`;
}

async function onSubmit(event, begin) {
  event.preventDefault();
  if (!event.currentTarget.reportValidity()) return;
  const name = byId("name").value.trim();
  if (!name) return showLobbyError("Please say who you are.");
  memory.name.set(name);
  byId("begin").disabled = true;
  try {
    await begin(name);
  } catch (error) {
    showLobbyError(error.code === "UNAUTHORIZED" ? "Only those with a key may start a séance here. Ask for an invitation." : said(error));
  } finally {
    byId("begin").disabled = false;
  }
}

async function start(name, enter) {
  const title = byId("title").value.trim() || UNTITLED;
  const session = await api.createSession({ name: title, max_users: Number(byId("seats").value) });
  enter(session, name, session.host_token);
}

/** Return the error's sentence with what it says of each field. */
function said(error) {
  const fields = Object.entries(error.details ?? {}).map(([field, faults]) => `${field}: ${[faults].flat().join(" ")}`);
  return [error.message, ...(error.code === "VALIDATION_ERROR" ? fields : [])].join(" · ");
}

function openLink(event) {
  event.preventDefault();
  if (!event.currentTarget.reportValidity()) return;
  const wanted = fromLink(byId("link").value.trim());
  if (wanted) goTo(wanted);
  else showLobbyError("That is not an invitation to a séance.");
}

function showRecent(except) {
  const entries = memory.recent.get().filter((one) => one.id !== except);
  byId("recent").hidden = !entries.length;
  byId("recent-list").replaceChildren(...entries.map((one) => make("li", {}, make("a", { href: linkOf(one.id) }, one.name))));
  for (const link of byId("recent-list").querySelectorAll("a")) link.addEventListener("click", (event) => follow(event, link));
}

function follow(event, link) {
  event.preventDefault();
  goTo(fromLink(link.href));
}

function goTo({ id, token }) {
  location.assign(linkOf(id, token));
  location.reload();
}

/** Return the link of a session; what follows `#` stays in the browser, so a token reaches no log. */
export function linkOf(id, token) {
  return token ? `/#session=${encodeURIComponent(id)}&token=${encodeURIComponent(token)}` : `/#${encodeURIComponent(id)}`;
}

function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // a stray `%`
  }
}

/** Return `{id, token}` of `…#ID`, `…#session=ID&token=…`, `…?session=ID` or a bare id; null for anything else. */
export function fromLink(text) {
  if (/^[\w-]+$/.test(text)) return { id: text };
  const url = parsed(text);
  if (!url) return null;
  const hash = decoded(url.hash.slice(1));
  const said = hash.includes("=") ? new URLSearchParams(url.hash.slice(1)) : url.searchParams;
  const id = hash && !hash.includes("=") ? hash : said.get("session");
  return id ? { id, token: said.get("token") ?? undefined } : null;
}
