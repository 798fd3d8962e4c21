/** The room page: reads the link, opens the door, and seats people. */
import { byId } from "./dom.js";
import { fromLink, linkOf, showLobby, showLobbyError } from "./lobby.js";
import * as memory from "./memory.js";
import { Table } from "./table.js";

function lightCandles() {
  for (const place of document.querySelectorAll(".candle-place")) {
    place.append(byId("candle").content.cloneNode(true));
  }
}

/** Take the token out of the address bar, where it could be read over a shoulder. */
function wantedSession() {
  const wanted = fromLink(location.href);
  if (!wanted) return null;
  if (wanted.token) memory.self.set(wanted.id, { ...memory.self.get(wanted.id), token: wanted.token });
  history.replaceState(null, "", linkOf(wanted.id));
  return { id: wanted.id, token: memory.self.get(wanted.id).token };
}

function enter(session, userName, token) {
  const known = memory.self.get(session.id);
  memory.self.set(session.id, { ...known, token: token ?? known.token, user_name: userName });
  memory.recent.add(session);
  memory.seated.set(session.id, true);
  history.replaceState(null, "", linkOf(session.id));
  byId("lobby").hidden = true;
  byId("room").hidden = false;
  new Table(session, { left: () => leave(session.id), refused: (error) => refused(session.id, error) }).sitDown();
}

function leave(id) {
  memory.seated.set(id, false);
  location.assign("/");
}

function refused(id, error) {
  memory.seated.set(id, false);
  memory.farewell.set(error.message);
  location.reload();
}

function openDoor(wanted) {
  showLobby(wanted, enter);
  const reason = memory.farewell.get();
  memory.farewell.set(null);
  if (reason) showLobbyError(reason);
}

function start() {
  lightCandles();
  const wanted = wantedSession();
  const self = wanted && memory.self.get(wanted.id);
  if (wanted && memory.seated.get(wanted.id)) enter({ id: wanted.id, name: memory.nameOf(wanted.id) }, self.user_name);
  else openDoor(wanted);
  addEventListener("hashchange", () => location.reload());
}

start();
