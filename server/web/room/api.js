/** The REST calls of the page; each resolves to `data` or throws an `ApiError`. */
export class ApiError extends Error {
  constructor({ code, message, details = {}, retryable = false }) {
    super(message);
    Object.assign(this, { code, details, retryable });
  }
}

const UNREACHABLE = { code: "UNREACHABLE", message: "The server cannot be reached.", retryable: true };
const TIMEOUT_MS = 15_000;

async function call(method, path, { body, token } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
    answer = await response.json();
  } catch {
    throw new ApiError(UNREACHABLE);
  }
  if (!answer.success) throw new ApiError(answer.error ?? UNREACHABLE);
  return answer;
}

const path = (session, rest = "") => `/api/sessions/${encodeURIComponent(session)}${rest}`;

export const createSession = async (body) => (await call("POST", "/api/sessions", { body })).data;
export const readSession = async (id, token) => (await call("GET", path(id), { token })).data;
export const readUsers = async (id, token) => (await call("GET", path(id, "/users"), { token })).data;
export const mintToken = async (id, token) =>
  (await call("POST", path(id, "/tokens"), { token, body: { role: "member" } })).data.token;

/** Return `{messages, more}`: one page, ascending; `bounds` are `after_seq`, `before_seq`, `limit`. */
export async function readMessages(id, bounds, token) {
  const { data, meta } = await call("GET", path(id, `/messages?${new URLSearchParams(bounds)}`), { token });
  return { messages: data, more: meta.has_more };
}
