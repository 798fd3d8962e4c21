/** What this browser remembers; without storage it forgets, and nothing breaks. */
const RECENT_MOST = 5;

function read(store, key) {
  try {
    return JSON.parse(store().getItem(`seance.${key}`));
  } catch {
    return null;
  }
}

function write(store, key, value) {
  try {
    if (value == null) store().removeItem(`seance.${key}`);
    else store().setItem(`seance.${key}`, JSON.stringify(value));
  } catch {
    // A browser may forbid storage, or it is full.
  }
}

const local = () => localStorage;
const tab = () => sessionStorage;

export const name = { get: () => read(local, "name") ?? "", set: (value) => write(local, "name", value) };

/** Who one was in a session: `{user_id, user_name, token}`; kept apart per session, so that ids do not follow people. */
export const self = {
  get: (session) => read(local, `self.${session}`) ?? {},
  set: (session, value) => write(local, `self.${session}`, value),
};

export const lastRead = {
  get: (session) => read(local, `read.${session}`),
  set: (session, seq) => write(local, `read.${session}`, seq),
};

/** Whether this tab sits at the table, so that a reload comes back to it. */
export const seated = {
  get: (session) => read(tab, `seated.${session}`) === true,
  set: (session, value) => write(tab, `seated.${session}`, value || null),
};

export const draft = {
  get: (session) => read(tab, `draft.${session}`) ?? "",
  set: (session, text) => write(tab, `draft.${session}`, text || null),
};

/** Why the table was left, told after a reload. */
export const farewell = { get: () => read(tab, "farewell"), set: (text) => write(tab, "farewell", text) };

/** Messages not yet acknowledged: `[{id, text}]`; per tab, because each tab sends its own. */
export const unsent = {
  get: (session) => read(tab, `unsent.${session}`) ?? [],
  set: (session, entries) => write(tab, `unsent.${session}`, entries.length ? entries : null),
};

/** The sessions of late, newest first: `[{id, name}]`. */
export const recent = {
  get: () => read(local, "recent") ?? [],
  add: ({ id, name: title }) =>
    write(local, "recent", [{ id, name: title }, ...recent.get().filter((one) => one.id !== id)].slice(0, RECENT_MOST)),
  remove: (id) => write(local, "recent", recent.get().filter((one) => one.id !== id)),
};

/** Return the name of a session of late, empty when it is not known. */
export const nameOf = (id) => recent.get().find((one) => one.id === id)?.name ?? "";
