// The keys of device labels that events carry. Keys that devices of the project have are offered.
import { useId, useState } from "preact/hooks";
import { get } from "../../api.js";
import { useResource } from "../../resource.js";
import { Button, Field } from "../../ui/basics.jsx";

const DEVICES = 1_000; // One page of the API; keys are few, and repeat
const MOST_OFFERED = 20;
const LONGEST_KEY = 64; // As the API has it

async function keysInUse(path, options) {
  const { devices } = await get(path, options);
  const counts = new Map([["name", 0]]);
  for (const { labels } of devices) {
    for (const key of Object.keys(labels)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([key]) => key);
}

export function Labels({ project, value, onChange, error }) {
  const [text, setText] = useState("");
  const { data: known } = useResource(`/projects/${project}/devices?pageSize=${DEVICES}`, { load: keysInUse });
  const list = useId();
  const offered = (known ?? ["name"]).filter((key) => !value.includes(key));
  function add(key) {
    const wanted = key.trim();
    if (wanted && !value.includes(wanted)) onChange([...value, wanted]);
    setText("");
  }
  return (
    <div class="stack">
      <ul class="chips" aria-label="Labels that are included">
        {value.map((key) => (
          <li key={key} class="chip">
            <span class="outside">{key}</span>
            <Button
              look="quiet slim"
              icon="cross"
              label={`Do not include ${key}`}
              onClick={() => onChange(value.filter((each) => each !== key))}
            />
          </li>
        ))}
        {value.length === 0 && <li class="dim">None: events come without labels.</li>}
      </ul>
      <Field label="Add a label's key" error={error}>
        {(props) => (
          <div class="row nowrap">
            <input
              class="input"
              {...props}
              list={list}
              maxLength={LONGEST_KEY}
              autocomplete="off"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" || event.isComposing) return;
                event.preventDefault(); // Enter adds; it does not save the form
                add(text);
              }}
            />
            <Button icon="plus" disabled={!text.trim()} onClick={() => add(text)}>
              Add
            </Button>
          </div>
        )}
      </Field>
      <datalist id={list}>
        {offered.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      {offered.length > 0 && (
        <div class="row" role="group" aria-label="Keys that devices have">
          <span class="hint">In use:</span>
          {offered.slice(0, MOST_OFFERED).map((key) => (
            <Button key={key} look="slim" icon="plus" onClick={() => add(key)}>
              <span class="clip outside">{key}</span>
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
