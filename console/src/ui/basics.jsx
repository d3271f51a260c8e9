// The small pieces that every page is made of.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ago, exactly } from "../time.js";
import { Icon } from "./icons.jsx";
import { toast } from "./toasts.jsx";

/** A button, or a link that looks like one when it has `href`. `look`: primary, danger, quiet, slim. */
export function Button({ look = "", icon, label, isBusy = false, children, class: more = "", ...rest }) {
  const names = `button ${look} ${children === undefined ? "icon" : ""} ${more}`;
  const content = (
    <>
      {isBusy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </>
  );
  const named = label && { "aria-label": label, title: label };
  if (rest.href) {
    return (
      <a class={names} {...named} {...rest}>
        {content}
      </a>
    );
  }
  return (
    <button type="button" class={names} aria-busy={isBusy || undefined} {...named} {...rest}>
      {content}
    </button>
  );
}

/** A time as "3 min. ago", exact on hover; it goes on by itself. */
export function Time({ at, fallback = "–" }) {
  const [, draw] = useState(0);
  useEffect(() => {
    if (!at) return undefined;
    const age = Math.abs(Date.now() - new Date(at).getTime());
    const timer = setInterval(() => draw((n) => n + 1), age < 120_000 ? 1_000 : 20_000);
    return () => clearInterval(timer);
  }, [at]);
  if (!at) return <span class="faint">{fallback}</span>;
  return (
    <time dateTime={at} title={exactly(at)}>
      {ago(at)}
    </time>
  );
}

/** A field with its label, hint and error. `children` gets what connects it to them. */
export function Field({ label, hint, error, optional, children }) {
  const id = useId();
  const ids = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>
        {label} {optional && <span class="faint">optional</span>}
      </label>
      {children({
        id,
        "aria-describedby": ids || undefined,
        "aria-invalid": error ? "true" : undefined,
      })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          <Icon name="alert" />
          <span>{error}</span>
        </p>
      )}
    </div>
  );
}

/** A choice of few things. `options`: [[value, text], …]. */
export function Segments({ label, value, options, onChange }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([each, text]) => (
        <button key={each} type="button" aria-pressed={each === value} onClick={() => onChange(each)}>
          {text}
        </button>
      ))}
    </div>
  );
}

const COPIED_MS = 1_500;

/** A button that copies `text` (or what the function `text` makes). */
export function Copy({ text, label = "Copy", children, look = "quiet slim" }) {
  const [isCopied, setCopied] = useState(false);
  async function copy() {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_MS);
    } catch {
      toast("The browser did not allow copying. Select the text instead.", "bad");
    }
  }
  return (
    <>
      <Button look={look} icon={isCopied ? "check" : "copy"} label={children ? undefined : label} onClick={copy}>
        {children}
      </Button>
      <span class="visually-hidden" role="status">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

/** Text as it is, in a frame with a button to copy it. */
export function Code({ text, label = "Code", wraps = false, copies = true }) {
  return (
    <div class={`code ${wraps ? "wraps" : ""}`}>
      <pre tabIndex={0} role="region" aria-label={label}>
        <code class="outside">{text}</code>
      </pre>
      {copies && <Copy text={text} label={`Copy: ${label}`} />}
    </div>
  );
}

const NOTE_ICONS = { bad: "alert", warn: "alert", good: "check", info: "info" };

/** A notice in the page. `kind`: bad, warn, good, info. Bad ones are read out at once. */
export function Note({ kind = "info", title, children, action }) {
  return (
    <div class={`note ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      <Icon name={NOTE_ICONS[kind]} />
      {title && <strong>{title}</strong>}
      {children && <div>{children}</div>}
      {action && <div class="actions">{action}</div>}
    </div>
  );
}

const TITLES = {
  0: "No connection",
  403: "Not allowed",
  404: "Not found",
  429: "Too many requests",
};

/** An error of the API, what to do about it, and a button to try again. */
export function ErrorNote({ error, onRetry, title }) {
  if (!error) return null;
  return (
    <Note
      kind={error.status === 403 || error.status === 429 ? "warn" : "bad"}
      title={title ?? TITLES[error.status] ?? "That did not work"}
      action={
        onRetry && (
          <Button look="slim" icon="replay" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <span class="outside">{error.message}</span>
    </Note>
  );
}

/** What a page says when it has nothing to show. */
export function Empty({ icon = "connector", title, children, action }) {
  return (
    <div class="empty">
      <Icon name={icon} size={36} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <div class="actions">{action}</div>}
    </div>
  );
}

/** Grey lines in the place of what is being loaded. */
export function Loading({ lines = 4 }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class={`skeleton w${(index % 3) + 1}`} />
      ))}
    </div>
  );
}

/** Colour and word. `kind`: good, bad, warn, accent or nothing. */
export function Badge({ kind = "", children, class: more = "" }) {
  return <span class={`badge ${kind} ${more}`}>{children}</span>;
}

export const Card = ({ title, about, action, children, body = true }) => (
  <section class="card">
    {title && (
      <div class="card-head">
        <div>
          <h2>{title}</h2>
          {about && <p>{about}</p>}
        </div>
        {action}
      </div>
    )}
    {body ? <div class="card-body">{children}</div> : children}
  </section>
);

/**
 * A page: its title, what leads to it, what can be done, and its content. The title is read out
 * and focused when the page is opened.
 */
export function Page({ title, documentTitle, crumbs, about, actions, narrow, children }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${documentTitle ?? title} · Data Connectors`;
  }, [title, documentTitle]);
  useEffect(() => {
    // Only after a click: on loading, the browser's own order is what people expect.
    if (Page.isOpened) heading.current?.focus({ preventScroll: true });
    Page.isOpened = true;
  }, []);
  return (
    <main id="main" class={`page ${narrow ? "narrow" : ""}`}>
      <header class="head">
        <div>
          {crumbs && (
            <nav class="crumbs" aria-label="Breadcrumb">
              {crumbs}
            </nav>
          )}
          <h1 ref={heading} tabIndex={-1} class="outside">
            {title}
          </h1>
          {about && <div class="dim">{about}</div>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </main>
  );
}
