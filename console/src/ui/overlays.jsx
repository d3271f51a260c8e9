// What opens above the page: dialogs, sheets and menus. The browser's own elements do the work, so
// focus, Escape and the rest of the page behave as everywhere.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, ErrorNote } from "./basics.jsx";
import { Curl } from "./curl.jsx";

function useModal(onClose) {
  const dialog = useRef(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      before?.focus(); // The browser does so for a dialog that stays in the page
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault(); // The owner decides, and takes it out of the page
    onClose?.();
  };
  // A click on the backdrop is one on the dialog itself, outside of all that it contains.
  const press = (event) => {
    if (event.target === dialog.current && onClose) onClose();
  };
  return { ref: dialog, onCancel: cancel, onMouseDown: press };
}

/** A question or a small form. It is open while it is drawn; `onClose` null: it must be answered. */
export function Dialog({ title, onClose, onSubmit, children, foot, wide, error }) {
  const id = useId();
  const content = (
    <>
      <div class="dialog-head">
        <h2 id={id} class="outside">
          {title}
        </h2>
        {onClose && <Button look="quiet slim" icon="cross" label="Close" onClick={onClose} />}
      </div>
      <div class="dialog-body">
        {children}
        <ErrorNote error={error} />
      </div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </>
  );
  return (
    <dialog class={`dialog ${wide ? "wide" : ""}`} aria-labelledby={id} {...useModal(onClose)}>
      {onSubmit ? (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {content}
        </form>
      ) : (
        content
      )}
    </dialog>
  );
}

/** Details at the side of the page. */
export function Sheet({ title, onClose, children, foot, class: more = "" }) {
  const id = useId();
  return (
    <dialog class={`sheet ${more}`} aria-labelledby={id} {...useModal(onClose)}>
      <div class="dialog-head">
        <h2 id={id} class="outside">
          {title}
        </h2>
        <Button look="quiet slim" icon="cross" label="Close" onClick={onClose} />
      </div>
      <div class="dialog-body">{children}</div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </dialog>
  );
}

/**
 * Ask before something that cannot be undone. With `typed`, that text has to be typed. `call` is what it
 * calls, as `Curl` takes it.
 */
export function Confirm({ title, children, verb, danger, typed, call, onConfirm, onClose }) {
  const [text, setText] = useState("");
  const [state, setState] = useState({ isBusy: false, error: null });
  const id = useId();
  async function confirm() {
    if (typed && text !== typed) return;
    setState({ isBusy: true, error: null });
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setState({ isBusy: false, error });
    }
  }
  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={confirm}
      error={state.error}
      foot={
        <>
          {call && <Curl call={call} what="this call" look="first" />}
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look={`primary ${danger ? "danger" : ""}`}
            isBusy={state.isBusy}
            disabled={Boolean(typed) && text !== typed}
          >
            {verb}
          </Button>
        </>
      }
    >
      {children}
      {typed && (
        <div class="field">
          <label for={id}>
            Type <code class="outside">{typed}</code> to confirm
          </label>
          <input
            id={id}
            class="input"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
      )}
    </Dialog>
  );
}

/** A button that opens a menu. `children` gets a function that closes it. */
export function Menu({ label, icon = "dots", look = "", text, children, class: more }) {
  const id = useId();
  const menu = useRef(null);
  const button = useRef(null);
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    menu.current?.hidePopover();
    button.current?.querySelector("button")?.focus();
  };
  // Its place depends on its size, which it has with its content.
  useLayoutEffect(() => {
    if (!isOpen) return;
    const from = button.current.getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = menu.current;
    const edge = 8;
    const below = from.bottom + 4;
    const fits = below + offsetHeight + edge <= innerHeight;
    const left = from.left + offsetWidth + edge <= innerWidth ? from.left : from.right - offsetWidth;
    style.left = `${Math.max(edge, left)}px`;
    style.top = `${fits ? below : Math.max(edge, from.top - 4 - offsetHeight)}px`;
    menu.current.querySelector("button, a")?.focus();
  }, [isOpen]);
  function move(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const items = [...menu.current.querySelectorAll("button, a")];
    const next = items.indexOf(document.activeElement) + steps[event.key];
    items[(next + items.length) % items.length]?.focus();
  }
  return (
    <span ref={button} class={more}>
      <Button
        look={look}
        icon={icon}
        label={text ? undefined : label}
        popovertarget={id}
        aria-expanded={isOpen}
        aria-haspopup="true"
      >
        {text}
      </Button>
      <div
        ref={menu}
        id={id}
        class="menu"
        popover="auto"
        aria-label={label}
        role="group"
        onToggle={(event) => setOpen(event.newState === "open")}
        onKeyDown={move}
      >
        {isOpen && children(close)}
      </div>
    </span>
  );
}
