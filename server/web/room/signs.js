/** What the page says about itself: names, banners, the end. */
import { byId, make } from "./dom.js";
import { Called } from "./spirit.js";

const TOAST_SECONDS = 6;
const ENDINGS = { ended: "The candle is out. This séance has ended.", expired: "The candle burned down. This séance has expired." };

let toastTimer;

/** Say something for a moment. */
export function toast(...what) {
  byId("toast").replaceChildren(...what);
  byId("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (byId("toast").hidden = true), TOAST_SECONDS * 1000);
}

/** Say that the line is lost, with a way to hurry; an empty text takes the banner away. */
export function showBanner(text, hurry) {
  const banner = byId("banner");
  if (text === "" || banner.hidden) banner.replaceChildren(text);
  if (text && banner.hidden) banner.append(" ", make("button", { type: "button", click: hurry }, "Try now"));
  banner.hidden = !text;
}

export function showSession(session) {
  byId("session-name").textContent = session.name;
  document.title = `${session.name} · Séance`;
  const answers = session.spirit?.answers;
  byId("summon").hidden = answers === "never";
  byId("state").textContent = STATES[answers]?.(session.spirit.name) ?? "";
}

const STATES = {
  every: (name) => `${Called(name)} answers everyone`,
  mention: (name) => `Say “${name}” and it answers`,
  summon: (name) => `${Called(name)} comes when summoned`,
  never: () => "No spirit tonight",
};

/** Turn the page into a book: it can be read, nobody can write. */
export function showClosed(reason) {
  showBanner("");
  document.body.dataset.flame = "out";
  for (const id of ["composer", "summon", "stop", "invite", "watching"]) byId(id).hidden = true;
  byId("ended").replaceChildren(ENDINGS[reason] ?? ENDINGS.ended, " ", make("a", { href: "/" }, "Light another"));
  byId("ended").hidden = false;
}
