// A connector's settings as the form has them: read from the API, compared, and made into a call.
import { variable } from "./curl.js";

/** The settings that the form changes, by the names that the API's errors and masks have for them. */
export const FIELDS = {
  displayName: "Display name",
  "httpConfig.url": "Endpoint URL",
  status: "Enabled",
  events: "Events",
  labels: "Labels",
  "httpConfig.headers": "Custom headers",
  "httpConfig.signatureSecret": "Signature secret",
  "httpConfig.standardWebhooks": "Standard Webhooks",
};

export const EMPTY = {
  displayName: "",
  "httpConfig.url": "",
  status: "ACTIVE",
  events: [],
  labels: ["name"],
  "httpConfig.headers": {},
  "httpConfig.signatureSecret": "",
  "httpConfig.standardWebhooks": false,
};

/** The settings of a connector of the API. */
export const settingsOf = ({ displayName, status, events, labels, httpConfig }) => ({
  displayName,
  "httpConfig.url": httpConfig.url,
  status,
  events,
  labels,
  "httpConfig.headers": httpConfig.headers,
  "httpConfig.signatureSecret": httpConfig.signatureSecret,
  "httpConfig.standardWebhooks": httpConfig.standardWebhooks,
});

// The order of events, labels and headers means nothing.
function plain(value) {
  if (Array.isArray(value)) return JSON.stringify([...value].sort());
  if (typeof value === "object") return JSON.stringify(Object.entries(value).sort());
  return JSON.stringify(value);
}

/** The names of the fields in which two settings differ. */
export const differing = (one, other) =>
  Object.keys(FIELDS).filter((name) => plain(one[name]) !== plain(other[name]));

/**
 * Settings that were changed elsewhere while somebody edits: `base` is what the form began with, `mine` what
 * it has now, `latest` what the API has. What only the others changed is taken over; what both
 * changed stays as it was typed, and is in `conflicts`.
 */
export function merge(base, mine, latest) {
  const theirs = differing(base, latest);
  const touched = differing(base, mine);
  const conflicts = theirs.filter((name) => touched.includes(name) && plain(mine[name]) !== plain(latest[name]));
  const taken = theirs.filter((name) => !touched.includes(name));
  const merged = { ...mine };
  for (const name of taken) merged[name] = latest[name];
  return { merged, taken, conflicts };
}

/** The body that has these fields of the settings. */
export function bodyOf(settings, names = Object.keys(FIELDS)) {
  const body = {};
  for (const name of names) {
    const http = /^httpConfig\.(.+)$/.exec(name)?.[1];
    if (http) body.httpConfig = { ...body.httpConfig, [http]: settings[name] };
    else body[name] = settings[name];
  }
  return body;
}

/** The settings with a shell's variable in the place of each secret, for commands that people copy. */
export const withoutSecrets = (settings) => ({
  ...settings,
  "httpConfig.headers": Object.fromEntries(
    Object.keys(settings["httpConfig.headers"]).map((name, index) => [name, variable(`HEADER_${index + 1}`)]),
  ),
  "httpConfig.signatureSecret": settings["httpConfig.signatureSecret"] && variable("SIGNATURE_SECRET"),
});

/** What an error of the API is about: `{field, text}`; "" for the form as a whole. */
export function errorOf(error) {
  if (error?.status !== 400) return { field: "", text: error?.message ?? "" };
  const found = [...Object.keys(FIELDS), "httpConfig.keepPreviousSecret", "httpConfig.previousSecretTtl"].find(
    (name) => error.message.startsWith(`${name}:`) || error.message.startsWith(`${name}.`),
  );
  if (!found) return { field: "", text: error.message };
  const field = /SecretTtl|PreviousSecret/.test(found) ? "httpConfig.signatureSecret" : found;
  return { field, text: error.message.slice(found.length + 1).trim() };
}

const SECRET_BYTES = 32; // As long as the hash that it signs with

/** A new secret, in the form that libraries of Standard Webhooks take too. */
export const newSecret = () =>
  `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))))}`;
