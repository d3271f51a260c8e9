// Which events a connector forwards: all, or chosen types.
import { ABOUT_TYPES } from "../../event_types.js";
import { Icon } from "../../ui/icons.jsx";

export function Events({ chooses, onChooses, value, onChange, error }) {
  const toggle = (type) => (event) =>
    onChange(event.currentTarget.checked ? [...value, type] : value.filter((each) => each !== type));
  // Types that a newer stack has and this page does not know stay chosen.
  const types = [...new Set([...Object.keys(ABOUT_TYPES), ...value])];
  return (
    <fieldset class="stack">
      <legend class="visually-hidden">Which events are forwarded</legend>
      <label class="check">
        <input type="radio" name="events" checked={!chooses} onChange={() => onChooses(false)} />
        <span>
          <strong>Forward all events</strong>
          <span class="hint block">Types that are added to the service later are forwarded, too.</span>
        </span>
      </label>
      <label class="check">
        <input type="radio" name="events" checked={chooses} onChange={() => onChooses(true)} />
        <span>
          <strong>Choose types</strong>
          <span class="hint block">All others are never pushed to this endpoint.</span>
        </span>
      </label>
      {error && (
        <p class="field-error" role="alert">
          <Icon name="alert" />
          <span>{error}</span>
        </p>
      )}
      {chooses && (
        <ul class="event-types">
          {types.map((type) => (
            <li key={type}>
              <label class="check">
                <input type="checkbox" checked={value.includes(type)} onChange={toggle(type)} />
                <span class="grow">
                  <span class="mono outside">{type}</span>
                  <span class="hint block">{ABOUT_TYPES[type]?.[0]}</span>
                  {ABOUT_TYPES[type] && <code class="example">{JSON.stringify(ABOUT_TYPES[type][1])}</code>}
                </span>
              </label>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}
