// Short notices that go by themselves, and are read out.
import { store, useStore } from "../store.js";
import { Icon } from "./icons.jsx";

const SHOWN_MS = 5_000;
const MOST = 3; // More would cover the page

const toasts = store([]);
let last = 0;

/** Say something for a few seconds: `kind` is "good" or "bad". Errors of forms stand in the form. */
export function toast(text, kind = "good") {
  const id = (last += 1);
  toasts.set([...toasts.get().slice(1 - MOST), { id, text, kind }]);
  setTimeout(() => toasts.set(toasts.get().filter((each) => each.id !== id)), SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {useStore(toasts).map((each) => (
        <div key={each.id} class={`toast ${each.kind}`}>
          <Icon name={each.kind === "bad" ? "alert" : "check"} />
          <span>{each.text}</span>
        </div>
      ))}
    </div>
  );
}
