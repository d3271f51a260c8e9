// State that outlives components: a value, and those who are told when it changes.
import { useEffect, useState } from "preact/hooks";

export function store(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore(from) {
  const [value, setValue] = useState(from.get);
  useEffect(() => {
    setValue(from.get); // It may have changed between the first drawing and now
    return from.subscribe((next) => setValue(() => next));
  }, [from]);
  return value;
}
