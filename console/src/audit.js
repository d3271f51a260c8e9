// The audit log in words: what somebody did, to what, and what is known about it.

const VERBS = { create: "Created", update: "Changed", delete: "Deleted", transfer: "Moved" };
const NOUNS = {
  dataconnector: "connector",
  serviceaccount: "service account",
  "serviceaccount.key": "key",
  membership: "membership",
  project: "project",
  device: "device",
};
/** What has a call of its own, by the detail that says so. */
const CALLS = { pause: "Paused", resume: "Resumed" };
const REPLAY = /\/replays\/[^/]+$/;

/** "Changed connector", "Paused connector", "Started replay"; the permission itself when it is a new one. */
export function actionText({ action, resource, details = {} }) {
  const at = action.lastIndexOf(".");
  const verb = VERBS[action.slice(at + 1)];
  const noun = NOUNS[action.slice(0, at)];
  if (!verb || !noun) return action;
  if (REPLAY.test(resource)) return details.state === "CANCELLED" ? "Cancelled replay" : "Started replay";
  return `${CALLS[details.verb] ?? verb} ${noun}`;
}

function textOf(value) {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "string" ? value.replace(/^roles\/(project\.|organization\.)?/, "") : JSON.stringify(value);
}

/** "email: kari@example.com · roles: developer"; "" when there is nothing to say. */
export function detailText({ details = {} }) {
  return Object.entries(details)
    .filter(([name, value]) => !(name === "verb" && CALLS[value]) && value !== "" && value?.length !== 0)
    .map(([name, value]) => `${name}: ${textOf(value)}`)
    .join(" · ");
}

/** The name of a resource without its project. */
export const shortName = (resource) => resource.replace(/^projects\/[^/]+\/(?=.)/, "");
