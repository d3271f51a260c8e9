// Who is signed in. The access token is in memory and in this tab's session storage; a service
// account's secret becomes a key that no script can read back, and is kept in memory alone.
import { store, useStore } from "./store.js";

const STORED_AS = "session";
const DEADLINE_MS = 15_000; // API Gateway gives up after 30 s; people before that
const EARLY_MS = 120_000; // A token is renewed this long before its end, so that no call meets it
const ASSERTION_SECONDS = 300; // An assertion is used at once; the contract allows an hour
const NEIGHBOURS_MS = 120; // How long a new tab waits for another one to share its session

/** null, or {token, expires (ms of this clock), email, kind: "key" | "person"}. */
export const session = store(null);
export const useSession = () => useStore(session);

/** Whether a dialog should ask to sign in again, over the page that needs it. */
export const expired = store(false);

export const config = store(null);

/** Milliseconds to add to this machine's clock, so that a wrong one does not break signing in. */
let clockOffset = 0;
export const now = () => Date.now() + clockOffset;

/** Remember what an answer of the server says about the time. */
export function noteTime(response) {
  const date = Date.parse(response.headers.get("date") ?? "");
  // The header has whole seconds. Differences of a few seconds are the network's.
  if (date && Math.abs(date - Date.now()) > 5_000) clockOffset = date - Date.now();
  else if (date) clockOffset = 0;
}

const tokenEndpoint = () => `${location.origin}/v2/oauth2/token`;

let renewal = null; // {email, keyId, key}: makes new tokens while this page is open

export class SignInError extends Error {}

async function post(path, init) {
  let response;
  try {
    response = await fetch(path, { method: "POST", signal: AbortSignal.timeout(DEADLINE_MS), ...init });
  } catch {
    const { host } = new URL(path, location.origin);
    throw new SignInError(`${host} cannot be reached. Check your connection, then try again.`);
  }
  if (path.startsWith("/")) noteTime(response); // Another host need not show its clock
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 429 || response.status >= 500) {
    throw new SignInError("The stack is busy or unavailable. Try again in a moment.");
  }
  throw new SignInError(
    answer.error_description ??
      answer.error ??
      "Signing in was refused. Check the clock of this machine, and try again.",
  );
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const encoded = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function assertion({ email, keyId, key }) {
  const iat = Math.floor(now() / 1000) - 2; // Receivers allow no clock ahead of theirs
  const claims = { iat, exp: iat + ASSERTION_SECONDS, aud: tokenEndpoint(), iss: email };
  const text = `${encoded({ alg: "HS256", typ: "JWT", kid: keyId })}.${encoded(claims)}`;
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `${text}.${base64url(signature)}`;
}

async function exchange(by) {
  const answer = await post("/v2/oauth2/token", {
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: await assertion(by),
    }),
  });
  begin(answer, by.email, "key");
}

function begin(answer, email, kind) {
  const expires = Date.now() + answer.expires_in * 1000;
  keep({ token: answer.access_token, expires, email, kind });
  expired.set(false);
}

function keep(value) {
  session.set(value);
  try {
    if (value) sessionStorage.setItem(STORED_AS, JSON.stringify(value));
    else sessionStorage.removeItem(STORED_AS);
  } catch {
    // Without storage the session ends with the page.
  }
}

/** Sign in with a service account's key. Raises `SignInError`. */
export async function signInWithKey({ email, keyId, secret }) {
  if (!crypto.subtle) {
    throw new SignInError("Browsers sign only on HTTPS and on 127.0.0.1. Open the console there.");
  }
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false, // Nobody can export it
    ["sign"],
  );
  const by = { email, keyId, key };
  await exchange(by);
  renewal = by;
}

let renewing = null;

/** A token that is good for a while, or null when somebody has to sign in. */
export async function token() {
  const current = session.get();
  if (!current) return null;
  if (current.expires - Date.now() > EARLY_MS) return current.token;
  if (renewal && renewal.email === current.email) {
    renewing ??= exchange(renewal).finally(() => (renewing = null));
    await renewing.catch(() => {}); // The old token may still do; if not, the API says so
  }
  return session.get()?.token ?? null;
}

/** Ask to sign in again, and wait until that is done. What the page holds stays as it is. */
export function signInAgain(refused) {
  const current = session.get();
  if (current && current.token !== refused) return Promise.resolve(); // Done meanwhile
  return new Promise((resolve) => {
    const end = session.subscribe((next) => {
      if (next && next.token === refused) return;
      end();
      resolve();
    });
    expired.set(true);
  });
}

export function signOut({ tell = true } = {}) {
  renewal = null;
  expired.set(false);
  keep(null);
  if (tell) neighbours?.postMessage({ signedOut: true });
}

// --- Other tabs: a link that is opened in a new one should not ask to sign in again

let neighbours = null;
if ("BroadcastChannel" in globalThis && "document" in globalThis) {
  neighbours = new BroadcastChannel("console");
  neighbours.onmessage = ({ data }) => {
    const current = session.get();
    const isGood = current && !expired.get();
    if (data.whoAmI && isGood) neighbours.postMessage({ session: current });
    if (data.session && !isGood && (!current || current.email === data.session.email)) {
      keep(data.session);
      expired.set(false);
    }
    if (data.signedOut && current) signOut({ tell: false });
  };
}

/** Load the stack's settings and the session of this tab, or of another one. */
export async function restore() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORED_AS));
    if (stored?.expires > Date.now()) session.set(stored);
  } catch {
    // Nothing usable is stored.
  }
  const loading = fetch("/console/config.json", { signal: AbortSignal.timeout(DEADLINE_MS) })
    .then(async (response) => {
      noteTime(response);
      config.set(await response.json());
    })
    .catch(() => config.set({})); // Signing in with a key needs no settings
  if (!session.get() && neighbours) {
    neighbours.postMessage({ whoAmI: true });
    await new Promise((resolve) => {
      const wait = setTimeout(resolve, NEIGHBOURS_MS);
      session.subscribe(() => {
        clearTimeout(wait);
        resolve();
      });
    });
  }
  await loading;
}

// --- People: OpenID Connect, authorization code with PKCE

const FLOW_AS = "oidc"; // {state, verifier, back}; worth nothing without the code

// The one address that the provider is told to lead back to (docs/access.md).
const callback = () => `${location.origin}/console/`;
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Go to the issuer to sign in, in this window or in `popup`, a window opened by a click. */
export async function signInWithIssuer(popup = null) {
  const { oidcClientId, oidcAuthorizationEndpoint } = config.get();
  const flow = {
    state: random(),
    verifier: random(),
    nonce: random(),
    back: location.pathname + location.search,
    isPopup: popup !== null,
  };
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
  // A popup has its own session storage, a copy from when it was opened: so it gets the flow itself.
  (popup ?? window).sessionStorage.setItem(FLOW_AS, JSON.stringify(flow));
  const url = new URL(oidcAuthorizationEndpoint);
  for (const [name, value] of Object.entries({
    response_type: "code",
    client_id: oidcClientId,
    redirect_uri: callback(),
    scope: "openid email",
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: base64url(challenge),
    code_challenge_method: "S256",
  })) {
    url.searchParams.set(name, value);
  }
  (popup ?? window).location.assign(url);
}

/** Whether an address is where the issuer leads back to, with a code or with an error. */
export const isReturn = (query) => query.has("state") && (query.has("code") || query.has("error"));

/** Finish signing in on the page that the issuer leads back to; resolves to {path, isPopup}. */
export async function finishSignIn(query) {
  const flow = JSON.parse(sessionStorage.getItem(FLOW_AS) ?? "null");
  sessionStorage.removeItem(FLOW_AS);
  if (!flow || flow.state !== query.get("state")) {
    throw new SignInError("This sign-in was not begun in this window. Begin again.");
  }
  if (query.get("error")) {
    throw new SignInError(query.get("error_description") ?? query.get("error"));
  }
  const { oidcClientId, oidcTokenEndpoint } = config.get();
  const answer = await post(oidcTokenEndpoint, {
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: oidcClientId,
      redirect_uri: callback(),
      code: query.get("code"),
      code_verifier: flow.verifier,
    }),
  });
  const exchanged = await post("/v2/oidc/token", {
    headers: { authorization: `Bearer ${answer.id_token}`, "content-type": "application/json" },
    body: JSON.stringify({ nonce: flow.nonce }), // The API compares it with the token's
  });
  const claims = claimsOf(answer.id_token);
  begin(exchanged, claims.email ?? claims.sub, "person");
  neighbours?.postMessage({ session: session.get() });
  const path = flow.back.startsWith("/console/") ? flow.back.slice("/console".length) : "/";
  return { path, isPopup: flow.isPopup };
}

/** The claims of a token that API Gateway verifies: here they are only shown, and trusted in nothing. */
function claimsOf(jwt) {
  const bytes = Uint8Array.from(
    atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")),
    (character) => character.charCodeAt(0),
  );
  return JSON.parse(new TextDecoder().decode(bytes));
}
