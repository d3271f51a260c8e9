// Calls of the API: with the access token, a deadline, retries where they are safe, and errors
// that say what happened.
import { noteTime, session, signInAgain, token } from "./session.js";
import { store } from "./store.js";

const DEADLINE_MS = 29_000; // As long as the API itself takes at most
const READ_DEADLINE_MS = 15_000;
const TRIES = 3; // Of a call that may be sent again: with the waits below, about 5 s in all
const WAITS_MS = [800, 2_500];
const LONGEST_WAIT_MS = 10_000; // Of what `Retry-After` asks for; the limit counts 5 s

/** null, or why the last call got no answer: "offline" | "unreachable". */
export const trouble = store(null);

/** What the API answered instead of success. `status` is 0 when there was no answer. */
export class ApiError extends Error {
  constructor(status, message, details = {}) {
    super(message);
    this.status = status;
    this.details = details;
    // "httpConfig.url: not HTTPS" names the field that it speaks of
    const found = /^([a-zA-Z]+(?:\.[a-zA-Z]+)*)(?:\.'[^']*')?: (.+)$/s.exec(message);
    this.field = status === 400 && found ? found[1] : "";
    this.text = this.field ? found[2] : message;
  }
}

const FALLBACKS = {
  403: "Your role does not allow this. Ask an administrator of the project for another role.",
  404: "It is not there, or you are not a member of its project.",
  409: "Somebody else changed it at the same time. Load it again and repeat your change.",
  413: "This is too large.",
  429: "Too many requests in a short time. Wait a few seconds and try again.",
  500: "The stack failed at this. Its log says why. Try again.",
  502: "The stack did not answer properly. Try again in a moment.",
  503: "The stack is unavailable for a moment. Try again.",
  504: "The stack took too long. Try again.",
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Call the API. `path` is below /v2. Resolves to the answer's JSON; raises `ApiError`.
 *
 * Reads are repeated after 429, 503 and no answer; other calls after 429 alone, which the API
 * answers before it does anything, or as reads when `isRepeatable` says that twice is as good as
 * once. After 401 somebody is asked to sign in again, and then the call is made once more.
 */
export async function call(method, path, { body, headers, signal, isRepeatable, timeout } = {}) {
  const repeats = isRepeatable ?? method === "GET";
  for (let attempt = 1; ; attempt += 1) {
    const bearer = await token();
    let response;
    try {
      response = await fetch(`/v2${path}`, {
        method,
        headers: {
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.any(
          [signal, AbortSignal.timeout(timeout ?? (method === "GET" ? READ_DEADLINE_MS : DEADLINE_MS))].filter(Boolean),
        ),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      trouble.set(navigator.onLine ? "unreachable" : "offline");
      if (repeats && attempt < TRIES && navigator.onLine) {
        await wait(WAITS_MS[attempt - 1]);
        continue;
      }
      throw new ApiError(
        0,
        navigator.onLine
          ? "The stack cannot be reached, or took too long. Nothing that you typed is lost: try again."
          : "You are offline. Nothing that you typed is lost: try again when you are back.",
      );
    }
    trouble.set(null);
    noteTime(response);
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    if (response.status === 401 && session.get() && attempt < TRIES) {
      await signInAgain(bearer);
      continue;
    }
    const mayRepeat = response.status === 429 || (repeats && response.status >= 502);
    if (mayRepeat && attempt < TRIES) {
      const asked = Number(response.headers.get("retry-after")) * 1000;
      await wait(Math.min(asked || WAITS_MS[attempt - 1], LONGEST_WAIT_MS));
      continue;
    }
    const said = answer?.error ?? answer?.message;
    const text = typeof said === "string" && response.status < 500 ? said : FALLBACKS[response.status];
    throw new ApiError(
      response.status,
      (response.status === 403 && FALLBACKS[403]) || text || `The stack answered ${response.status}. Try again.`,
      answer ?? {},
    );
  }
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { body, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body, ...options });
export const put = (path, body, options) => call("PUT", path, { body, ...options });
export const remove = (path, options) => call("DELETE", path, options);

const MOST_PAGES = 50; // Of a list that is loaded as a whole: 5,000 entries

/** All entries of a list, page by page. `key` is their name in the answer. */
export async function all(path, key, options) {
  const found = [];
  let pageToken = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await get(withQuery(path, { pageToken }), options);
    found.push(...answer[key]);
    pageToken = answer.nextPageToken;
    if (!pageToken) break;
  }
  return found;
}

/** A path with a query. Empty values are left out; a list repeats its name. */
export function withQuery(path, query) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== "" && each !== undefined && each !== null) made.append(name, each);
    }
  }
  const text = made.toString();
  return text ? `${path}${path.includes("?") ? "&" : "?"}${text}` : path;
}

/** The last part of a resource's name. */
export const idOf = (name) => name.slice(name.lastIndexOf("/") + 1);
