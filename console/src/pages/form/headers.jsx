// Headers that each push carries. Their values may be credentials, so they are hidden until asked for.
import { useState } from "preact/hooks";
import { Button } from "../../ui/basics.jsx";
import { Icon } from "../../ui/icons.jsx";

let last = 0;

export function Headers({ rows, onChange, error }) {
  const [revealed, setRevealed] = useState(new Set());
  const change = (id, name, text) => onChange(rows.map((row) => (row.id === id ? { ...row, [name]: text } : row)));
  function add() {
    const id = `new-${(last += 1)}`;
    setRevealed(new Set([...revealed, id]));
    onChange([...rows, { id, name: "", value: "" }]);
  }
  function toggle(id) {
    const next = new Set(revealed);
    if (!next.delete(id)) next.add(id);
    setRevealed(next);
  }
  return (
    <fieldset class="stack">
      <legend class="visually-hidden">Custom headers</legend>
      {rows.length === 0 && <p class="dim">None.</p>}
      {rows.map(({ id, name, value }, index) => {
        const what = name || `header ${index + 1}`;
        const isShown = revealed.has(id);
        return (
          <div key={id} class="header-row">
            <input
              class="input mono"
              aria-label={`Name of header ${index + 1}`}
              placeholder="X-Tenant"
              autocomplete="off"
              spellcheck={false}
              value={name}
              aria-invalid={error ? "true" : undefined}
              onInput={(event) => change(id, "name", event.currentTarget.value)}
            />
            <input
              class="input mono"
              aria-label={`Value of ${what}`}
              type={isShown ? "text" : "password"}
              placeholder="Value"
              autocomplete="off"
              spellcheck={false}
              value={value}
              onInput={(event) => change(id, "value", event.currentTarget.value)}
            />
            <span class="row nowrap">
              <Button
                look="quiet"
                icon={isShown ? "hidden" : "eye"}
                label={`${isShown ? "Hide" : "Show"} the value of ${what}`}
                aria-pressed={isShown}
                onClick={() => toggle(id)}
              />
              <Button
                look="quiet"
                icon="trash"
                label={`Remove ${what}`}
                onClick={() => onChange(rows.filter((row) => row.id !== id))}
              />
            </span>
          </div>
        );
      })}
      {error && (
        <p class="field-error" role="alert">
          <Icon name="alert" />
          <span class="outside">{error}</span>
        </p>
      )}
      <span>
        <Button icon="plus" onClick={add}>
          Add header
        </Button>
      </span>
    </fieldset>
  );
}
