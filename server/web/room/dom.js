/** Elements by id and by hand; text never becomes markup. */

export const byId = (id) => document.getElementById(id);

/** Return a new element; attributes that are false or null are left out, functions become listeners. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Tell screen readers, politely; each text is a line of its own and goes again. */
export function announce(text) {
  const line = make("p", {}, text);
  byId("live").append(line);
  setTimeout(() => line.remove(), 10_000);
}

/** Return the local time of day, or with the date when it was not today. */
export function clock(timestamp) {
  const moment = new Date(timestamp);
  const today = moment.toDateString() === new Date().toDateString();
  const style = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(undefined, style).format(moment);
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
