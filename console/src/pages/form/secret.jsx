// The secret that signs, how it is changed without a gap, and how a receiver verifies.
import { useState } from "preact/hooks";
import { useAction } from "../../resource.js";
import { newSecret } from "../../settings.js";
import { Button, Copy, ErrorNote, Field, Note, Segments, Time } from "../../ui/basics.jsx";
import { LANGUAGES, verifier } from "../../verifying.js";

const HIDDEN = "••••••••";

const ROTATIONS = [
  ["86400s", "For 24 hours"],
  ["3600s", "For 1 hour"],
  ["604800s", "For 7 days"],
  ["0s", "No longer: it has leaked"],
];

export function Secret({
  value,
  saved,
  onChange,
  error,
  rotation,
  onRotation,
  previousUntil,
  onEndPrevious,
  standard,
  onStandard,
  standardError,
  url,
}) {
  const [isShown, setShown] = useState(false);
  const [language, setLanguage] = useState("python");
  const end = useAction(onEndPrevious ?? (() => {}));
  const code = value && verifier(language, value);
  return (
    <div class="stack">
      <Field
        label="Signature secret"
        optional
        error={error}
        hint={
          value
            ? "Give it to your receiver. Whoever has it can make events that look like this connector's."
            : "Without one, your endpoint cannot tell events of this connector from those of anybody else."
        }
      >
        {(props) => (
          <div class="secret-row">
            <input
              class="input mono"
              {...props}
              type={isShown ? "text" : "password"}
              autocomplete="off"
              spellcheck={false}
              value={value}
              onInput={(event) => onChange(event.currentTarget.value)}
            />
            <span class="row">
              {value && (
                <>
                  <Button
                    look="quiet"
                    icon={isShown ? "hidden" : "eye"}
                    label={isShown ? "Hide the secret" : "Show the secret"}
                    aria-pressed={isShown}
                    onClick={() => setShown(!isShown)}
                  />
                  <Copy text={value} label="Copy the secret" look="quiet" />
                  <Button look="quiet" icon="trash" label="Remove the secret" onClick={() => onChange("")} />
                </>
              )}
              <Button
                icon="key"
                onClick={() => {
                  onChange(newSecret());
                  setShown(true);
                }}
              >
                Generate
              </Button>
            </span>
          </div>
        )}
      </Field>
      {saved && value && value !== saved && (
        <Field
          label="The secret that it replaces goes on signing"
          hint="Meanwhile each event has two signatures, X-Dt-Signature-Previous by the old secret, so that receivers can change one after the other."
        >
          {(props) => (
            <select class="input" {...props} value={rotation} onChange={(event) => onRotation(event.currentTarget.value)}>
              {ROTATIONS.map(([ttl, text]) => (
                <option key={ttl} value={ttl}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {saved && !value && (
        <Note kind="warn" title="Events will no longer be signed">
          A receiver that verifies signatures refuses them once this is saved.
        </Note>
      )}
      {previousUntil && (
        <Note
          title="The previous secret still signs"
          action={
            <Button look="slim" isBusy={end.isBusy} onClick={() => end.run()}>
              End it now
            </Button>
          }
        >
          It ends <Time at={previousUntil} />.
        </Note>
      )}
      <ErrorNote error={end.error} />
      <div class="field">
        <label class="check">
          <input
            type="checkbox"
            checked={standard}
            aria-invalid={standardError ? "true" : undefined}
            onChange={(event) => onStandard(event.currentTarget.checked)}
          />
          <span>
            Also sign by Standard Webhooks
            <span class="hint block">
              Adds Webhook-Id, Webhook-Timestamp and Webhook-Signature, which libraries for many languages verify. Needs a secret.
            </span>
          </span>
        </label>
        {standardError && (
          <p class="field-error" role="alert">
            <span>{standardError}</span>
          </p>
        )}
      </div>
      {value && (
        <details class="verify">
          <summary>How to verify an event</summary>
          <div class="stack">
            <div class="row spread">
              <Segments label="Language" value={language} options={LANGUAGES} onChange={setLanguage} />
              <Copy text={code} look="slim">
                Copy with the secret
              </Copy>
            </div>
            <p class="hint">
              For events that are POSTed to <span class="mono outside">{url || "your endpoint"}</span>. Verify the raw body, save the
              event under its eventId, then answer 200.
            </p>
            <div class="code">
              <pre tabIndex={0} role="region" aria-label="Code that verifies">
                <code class="outside">{isShown ? code : verifier(language, HIDDEN)}</code>
              </pre>
            </div>
          </div>
        </details>
      )}
    </div>
  );
}
