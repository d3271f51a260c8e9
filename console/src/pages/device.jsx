// One device: its labels, its last values, and its history as a plot, a table and a file.
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, post, withQuery } from "../api.js";
import { measuresOf, shown, typeName, valueIn } from "../measures.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { href, setQuery, usePlace } from "../router.js";
import { now } from "../session.js";
import { counted, secondOf } from "../time.js";
import { Button, Card, Copy, Empty, ErrorNote, Loading, Note, Page, Segments, Time } from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";
import { Dialog } from "../ui/overlays.jsx";
import { toast } from "../ui/toasts.jsx";
import { ValuePlot } from "../ui/value_plot.jsx";
import { Label } from "./devices.jsx";

const EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
const PERIODS = [
  ["1", "24 hours"],
  ["7", "7 days"],
  ["31", "31 days"],
];
const MOST_EVENTS = 20_000; // Of one measure and period: one every two minutes for 31 days is more
const PAGE_SIZE = 1_000; // The API's largest
const ROWS = 50; // Of the table at first, and with each "Show more"

export function Device({ project, device: id }) {
  const { can } = usePermissions(project);
  const [isEditing, setEditing] = useState(false);
  const path = `/projects/${project}/devices/${encodeURIComponent(id)}`;
  const { data: device, error, isLoading, reload } = useResource(path, { every: EVERY_MS });
  const measures = useMemo(() => measuresOf(device?.reported, device?.type), [device]);
  const name = device?.labels.name || id;
  return (
    <Page
      title={name}
      crumbs={<a href={href(`/projects/${project}/devices`)}>Devices</a>}
      about={
        device && (
          <span class="row">
            <span>{device.type ? typeName(device.type) : "Type unknown"}</span>
            <span class="row nowrap">
              <code class="break">{id}</code>
              <Copy text={id} label="Copy the device's id" />
            </span>
          </span>
        )
      }
    >
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={6} />}
      {device && (
        <>
          {measures.length > 0 && (
            <dl class="tiles">
              {measures.map((measure) => {
                const data = device.reported[measure.type];
                return (
                  <div key={measure.id} class="tile">
                    <dt>{measure.name}</dt>
                    <dd>
                      <span class="outside">{shown(measure, valueIn(measure, data))}</span>
                      <div class="tile-note">
                        <Time at={data.updateTime} />
                      </div>
                    </dd>
                  </div>
                );
              })}
            </dl>
          )}
          <Card
            title="Labels"
            about="Connectors deliver those that they are told to include."
            action={
              can("device.update") && (
                <Button look="slim" icon="edit" onClick={() => setEditing(true)}>
                  Edit labels
                </Button>
              )
            }
          >
            <div class="row">
              {Object.entries(device.labels).map(([key, value]) => (
                <Label key={key} name={key} value={value} />
              ))}
              {Object.keys(device.labels).length === 0 && <span class="dim">It has no labels.</span>}
            </div>
          </Card>
          <History path={path} id={id} measures={measures} />
        </>
      )}
      {isEditing && (
        <EditLabels
          project={project}
          device={device}
          onClose={() => setEditing(false)}
          onSaved={() => {
            setEditing(false);
            reload();
            toast("The labels are saved.");
          }}
        />
      )}
    </Page>
  );
}

let lastRow = 0;
const row = (key = "", value = "") => ({ id: (lastRow += 1), key, value });

/** Only what was changed here is sent, so that a change made elsewhere meanwhile stays. */
function EditLabels({ project, device, onClose, onSaved }) {
  const [before] = useState(device.labels);
  const [rows, setRows] = useState(() => Object.entries(before).map(([key, value]) => row(key, value)));
  const named = rows.filter(({ key }) => key.trim());
  const keys = named.map(({ key }) => key.trim());
  const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
  const unnamed = rows.some(({ key, value }) => !key.trim() && value);
  const problem =
    (repeated && `There are two labels ${repeated}. Remove one of them.`) ||
    (unnamed && "A value has no key. Give it one, or remove it.");
  const isChangedElsewhere = JSON.stringify(before) !== JSON.stringify(device.labels);
  const after = Object.fromEntries(named.map(({ key, value }) => [key.trim(), value]));
  const addLabels = Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value));
  const removeLabels = Object.keys(before).filter((key) => !(key in after));
  const path = `/projects/${project}/devices:batchUpdate`;
  const body = { devices: [device.name], addLabels, removeLabels };
  const save = useAction(async () => {
    if (problem) throw new Error(problem);
    if (removeLabels.length || Object.keys(addLabels).length) {
      const { batchErrors } = await post(path, body, { isRepeatable: true }); // Twice is as good as once
      if (batchErrors.length) throw new Error(batchErrors[0].status.message);
    }
    onSaved();
  });
  const change = (id, changes) => {
    save.clear();
    setRows(rows.map((each) => (each.id === id ? { ...each, ...changes } : each)));
  };
  return (
    <Dialog
      title="Edit labels"
      wide
      onClose={onClose}
      onSubmit={save.run}
      error={save.error}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={save.isBusy}>
            Save labels
          </Button>
        </>
      }
    >
      <p class="dim">
        The label <code>name</code> is the device's display name. Events carry labels from their acceptance on.
      </p>
      {isChangedElsewhere && (
        <Note kind="warn" title="The labels were changed elsewhere meanwhile">
          Only what you change here is saved. The labels are now:{" "}
          <span class="outside">
            {Object.entries(device.labels)
              .map(([key, value]) => `${key}: ${value}`)
              .join(", ") || "none"}
          </span>
        </Note>
      )}
      <div class="stack tight">
        {rows.map((each, index) => (
          <div key={each.id} class="label-row">
            <input
              class="input mono"
              aria-label={`Key of label ${index + 1}`}
              placeholder="key"
              autocomplete="off"
              spellcheck={false}
              value={each.key}
              onInput={(event) => change(each.id, { key: event.currentTarget.value })}
            />
            <input
              class="input"
              aria-label={`Value of label ${index + 1}`}
              autofocus={index === 0}
              placeholder="value"
              autocomplete="off"
              value={each.value}
              onInput={(event) => change(each.id, { value: event.currentTarget.value })}
            />
            <Button
              look="quiet"
              icon="trash"
              label={`Remove label ${index + 1}`}
              onClick={() => setRows(rows.filter(({ id }) => id !== each.id))}
            />
          </div>
        ))}
      </div>
      <div class="row">
        <Button look="slim" icon="plus" onClick={() => setRows([...rows, row()])}>
          Add a label
        </Button>
      </div>
    </Dialog>
  );
}

function History({ path, id, measures }) {
  const { query } = usePlace();
  const days = PERIODS.some(([each]) => each === query.get("days")) ? query.get("days") : "1";
  const measure = measures.find((each) => each.id === query.get("measure")) ?? measures[0];
  const [state, setState] = useState({ events: null, error: null, loaded: 0 });
  const [tries, setTries] = useState(0);
  const type = measure?.type;
  // A device that reports again has more history: one more event is read with the last value.
  useEffect(() => {
    if (!type) return undefined;
    const aborter = new AbortController();
    const to = now();
    const from = to - Number(days) * DAY_MS;
    setState({ events: null, error: null, loaded: 0 });
    read(path, type, from, aborter.signal, (loaded) => setState((is) => ({ ...is, loaded })))
      .then(({ events, isCut }) => setState({ events, isCut, from, to, error: null }))
      .catch((error) => {
        if (!aborter.signal.aborted) setState({ events: null, error, loaded: 0 });
      });
    return () => aborter.abort();
  }, [path, type, days, tries]);
  const points = useMemo(
    () =>
      (state.events ?? [])
        .map((event) => [Date.parse(event.timestamp) / 1000, valueIn(measure, event.data[type])])
        .filter(([, value]) => value !== undefined && value !== null)
        .reverse(),
    [state.events, measure],
  );
  if (!measure) {
    return (
      <div class="card">
        <Empty icon="clock" title="No history yet">
          The device has not reported a value. Its events appear here for 31 days.
        </Empty>
      </div>
    );
  }
  const isThese = state.events && (state.events.length === 0 || state.events[0].eventType === type);
  const period = PERIODS.find(([each]) => each === days)[1];
  return (
    <Card
      title="History"
      action={
        <div class="row">
          {measures.length > 1 && (
            <select
              class="input slim fits"
              aria-label="What is shown"
              value={measure.id}
              onChange={(event) => setQuery({ measure: event.currentTarget.value })}
            >
              {measures.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.unit ? `${each.name} (${each.unit})` : each.name}
                </option>
              ))}
            </select>
          )}
          <Segments label="Period" value={days} options={PERIODS} onChange={(days) => setQuery({ days })} />
          <Button look="quiet slim" icon="replay" label="Load again" onClick={() => setTries(tries + 1)} />
        </div>
      }
    >
      <ErrorNote error={state.error} onRetry={() => setTries(tries + 1)} />
      {!isThese && !state.error && (
        <div class="history-place">
          <Loading lines={5} />
          {state.loaded > 0 && <p class="dim small">{counted(state.loaded, "event")} loaded</p>}
        </div>
      )}
      {isThese && state.events.length === 0 && (
        <Empty icon="clock" title={`Nothing in the last ${period}`}>
          The device has sent no {measure.name.toLowerCase()} in this time. Choose a longer period.
        </Empty>
      )}
      {isThese && state.events.length > 0 && (
        <div class="stack">
          {state.isCut && (
            <Note title={`The newest ${counted(MOST_EVENTS, "event")} are shown`}>
              There are more in this period. Programs read all of them from the API, page by page.
            </Note>
          )}
          <div class="history">
            <ValuePlot
              measure={measure}
              points={points}
              from={state.from / 1000}
              to={Math.max(state.to / 1000, points.at(-1)?.[0] ?? 0)}
              label={`${measure.name} over ${period}: ${summary(measure, points)}. The table has the values.`}
            />
            <Values key={`${measure.id} ${days}`} measure={measure} events={state.events} />
          </div>
          <div class="row spread">
            <span class="dim small">
              {counted(state.events.length, "event")} · {summary(measure, points)}
            </span>
            <span class="row">
              <Curl call={["GET", eventsPath(path, type, state.from)]} what="these events" />
              <Button
                look="slim"
                icon="download"
                onClick={() => save(`${id}-${type}.jsonl`, "application/jsonl", asLines(state.events))}
              >
                JSON lines
              </Button>
              <Button
                look="slim"
                icon="download"
                onClick={() => save(`${id}-${type}.csv`, "text/csv", asTable(state.events, type))}
              >
                CSV
              </Button>
            </span>
          </div>
        </div>
      )}
    </Card>
  );
}

const eventsPath = (path, type, from, pageToken = "") =>
  withQuery(`${path}/events`, {
    eventTypes: type,
    startTime: new Date(from).toISOString(),
    pageSize: PAGE_SIZE,
    pageToken,
  });

async function read(path, type, from, signal, tell) {
  const events = [];
  let pageToken = "";
  do {
    const page = await get(eventsPath(path, type, from, pageToken), { signal });
    events.push(...page.events);
    pageToken = page.nextPageToken;
    tell(events.length);
  } while (pageToken && events.length < MOST_EVENTS);
  return { events, isCut: Boolean(pageToken) };
}

function summary(measure, points) {
  const values = points.map(([, value]) => value);
  if (values.length === 0) return "no values";
  if (measure.isState) return `last ${shown(measure, values.at(-1)).toLowerCase()}`;
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return `from ${shown(measure, least)} to ${shown(measure, most)}`;
}

function Values({ measure, events }) {
  const [rows, setRows] = useState(ROWS);
  return (
    <div class="history-table" tabIndex={0} role="region" aria-label="Values">
      <table class="table">
        <thead>
          <tr>
            <th>Time</th>
            <th class="number">{measure.name}</th>
          </tr>
        </thead>
        <tbody>
          {events.slice(0, rows).map((event) => (
            <tr key={event.eventId}>
              <td>
                <time dateTime={event.timestamp} title={event.eventId}>
                  {secondOf(event.timestamp)}
                </time>
              </td>
              <td class="number">
                <span class="outside">{shown(measure, valueIn(measure, event.data[measure.type]))}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows < events.length && (
        <Button look="quiet" onClick={() => setRows(rows + ROWS)}>
          Show more
        </Button>
      )}
    </div>
  );
}

const asLines = (events) => events.map((event) => `${JSON.stringify(event)}\n`).join("");

/** A row for each event. Lists and objects in its data are JSON in their cell. */
export function asTable(events, type) {
  const fields = [...new Set(events.flatMap((event) => Object.keys(event.data[type] ?? {})))];
  const rows = events.map((event) => [
    event.eventId,
    event.targetName,
    event.eventType,
    event.timestamp,
    ...fields.map((field) => event.data[type]?.[field]),
  ]);
  return [["eventId", "targetName", "eventType", "timestamp", ...fields], ...rows]
    .map((cells) => `${cells.map(cell).join(",")}\r\n`)
    .join("");
}

function cell(value) {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") return typeof value === "object" ? cell(JSON.stringify(value)) : String(value);
  // Spreadsheets would take such a text for a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // The download has begun long before
}
