// What components read from the API: loaded when they appear, and again every few seconds while
// somebody looks.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api.js";

const LONGEST_PAUSE_MS = 60_000; // Between two tries while a read keeps failing

const cache = new Map(); // The last answer of each path, shown while it is loaded again
const MOST_CACHED = 100;

function remember(path, data) {
  cache.delete(path);
  cache.set(path, data);
  if (cache.size > MOST_CACHED) cache.delete(cache.keys().next().value);
}

/** Forget all answers: the next person must not see them. */
export const forget = () => cache.clear();

/**
 * The answer to GET `path` (null: nothing is read). `every` is in ms; 0 reads once. `load` replaces
 * the plain read. `data` keeps the last good answer when `error` says that a later read failed.
 */
export function useResource(path, { every = 0, load = get } = {}) {
  const [state, setState] = useState({ path, data: cache.get(path), error: null });
  const again = useRef(() => {});
  useEffect(() => {
    if (path === null) return undefined;
    const aborter = new AbortController();
    let timer = 0;
    let failures = 0;
    let isReading = false;
    let isWantedAgain = false; // What is being read may be older than the change that asks for it
    setState({ path, data: cache.get(path), error: null });
    async function read() {
      clearTimeout(timer);
      isWantedAgain = isReading;
      if (isReading) return;
      isReading = true;
      try {
        const data = await load(path, { signal: aborter.signal });
        if (aborter.signal.aborted) return;
        failures = 0;
        remember(path, data);
        setState({ path, data, error: null });
      } catch (error) {
        if (aborter.signal.aborted) return;
        failures += 1;
        setState((before) => ({ path, data: before.data, error }));
      } finally {
        isReading = false;
        const pause = Math.min(every * 2 ** failures, Math.max(every, LONGEST_PAUSE_MS));
        if (aborter.signal.aborted) return;
        if (isWantedAgain) read();
        else if (every && !document.hidden) timer = setTimeout(read, pause);
      }
    }
    const look = () => {
      if (!document.hidden && every) read();
      else clearTimeout(timer);
    };
    again.current = read;
    read();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    return () => {
      aborter.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
    };
  }, [path, every]);
  const reload = useCallback(() => again.current(), []);
  // Between a change of the path and its effect, the answer would be that of another path.
  const { data, error } = state.path === path ? state : { data: cache.get(path), error: null };
  return { data, error, isLoading: path !== null && data === undefined && !error, reload };
}

/** `action` with its state: `run()` resolves to whether it succeeded; errors are in `error`. */
export function useAction(action) {
  const [state, setState] = useState({ isBusy: false, error: null });
  const current = useRef(action);
  current.current = action;
  const isBusy = useRef(false);
  const run = useCallback(async (...values) => {
    if (isBusy.current) return false; // A second click is the first one again
    isBusy.current = true;
    setState({ isBusy: true, error: null });
    try {
      await current.current(...values);
      setState({ isBusy: false, error: null });
      return true;
    } catch (error) {
      setState({ isBusy: false, error });
      return false;
    } finally {
      isBusy.current = false;
    }
  }, []);
  const clear = useCallback(() => setState({ isBusy: false, error: null }), []);
  return { ...state, run, clear };
}
