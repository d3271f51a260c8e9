// Paths below /console/ and which page each is. Nothing secret is ever in a path.
import { store, useStore } from "./store.js";

export const BASE = "/console";

const read = () => ({
  path: location.pathname.replace(/\/+$/, "").slice(BASE.length) || "/",
  query: new URLSearchParams(location.search),
});

export const place = store(read());
export const usePlace = () => useStore(place);

let guard = null;

/** Asks `mayLeave()` before the page is left; a promise of a boolean. Returns what ends that. */
export function guardLeaving(mayLeave) {
  guard = mayLeave;
  return () => {
    if (guard === mayLeave) guard = null;
  };
}

/** Go to a path below the base. `replace` keeps it out of the history. */
export async function go(path, { replace = false } = {}) {
  if (guard && !(await guard())) return;
  guard = null;
  history[replace ? "replaceState" : "pushState"](null, "", BASE + path);
  place.set(read());
  scrollTo(0, 0);
}

/** Change the query of the page that is shown, for filters that a link can carry. */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text && `?${text}`));
  place.set(read());
}

export const href = (path) => BASE + path;

addEventListener("popstate", async () => {
  const wanted = location.pathname + location.search;
  if (guard) {
    const here = place.get();
    const query = here.query.toString();
    history.pushState(null, "", BASE + here.path + (query && `?${query}`));
    if (!(await guard())) return;
    guard = null;
    history.replaceState(null, "", wanted);
  }
  place.set(read());
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain =
    event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.download) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(`${BASE}/`)) return;
  if (url.pathname.slice(BASE.length).includes(".")) return; // A file, not a page
  if (url.pathname === location.pathname && url.hash) return;
  event.preventDefault();
  go(url.pathname.slice(BASE.length) + url.search);
});

/** The route that a path belongs to, and its parameters; null for none. */
export function match(routes, path) {
  const parts = path.split("/").filter(Boolean);
  for (const route of routes) {
    const pattern = route.path.split("/").filter(Boolean);
    if (pattern.length !== parts.length) continue;
    const parameters = {};
    const fits = pattern.every((each, index) => {
      if (!each.startsWith(":")) return each === parts[index];
      try {
        parameters[each.slice(1)] = decodeURIComponent(parts[index]);
      } catch {
        return false;
      }
      return true;
    });
    if (fits) return { route, parameters };
  }
  return null;
}
