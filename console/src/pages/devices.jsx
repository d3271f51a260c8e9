// The devices of a project, with their labels and last values.
import { useEffect, useState } from "preact/hooks";
import { get, idOf, post, withQuery } from "../api.js";
import { newest, shown, typeName, valueIn } from "../measures.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { go, href, setQuery, usePlace } from "../router.js";
import { Badge, Button, Empty, ErrorNote, Field, Loading, Page, Time } from "../ui/basics.jsx";
import { Icon } from "../ui/icons.jsx";
import { Curl } from "../ui/curl.jsx";
import { Dialog } from "../ui/overlays.jsx";

const EVERY_MS = 15_000;
const PAGE_SIZE = 50;
const TYPING_MS = 250; // The list is asked for when somebody stops typing for so long
const SHOWN_LABELS = 3;

const TYPES = [
  "temperature", "humidity", "co2", "motion", "proximity", "proximityCounter", "touch",
  "touchCounter", "waterDetector", "deskOccupancy", "contact", "ccon",
];

export function Devices({ project }) {
  const { query } = usePlace();
  const { can } = usePermissions(project);
  const [isAdding, setAdding] = useState(false);
  const [more, setMore] = useState({ devices: [], nextPageToken: null });
  const [text, setText] = useState(query.get("query") ?? "");
  const type = query.get("type") ?? "";
  useEffect(() => {
    const timer = setTimeout(() => setQuery({ query: text.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const path = withQuery(`/projects/${project}/devices`, {
    query: query.get("query"),
    device_types: type,
    pageSize: PAGE_SIZE,
  });
  const { data, error, isLoading, reload } = useResource(path, { every: EVERY_MS });
  useEffect(() => setMore({ devices: [], nextPageToken: null }), [path]);
  const nextPage = more.nextPageToken ?? data?.nextPageToken;
  const loadMore = useAction(async () => {
    const page = await get(withQuery(path, { pageToken: nextPage }));
    setMore({ devices: [...more.devices, ...page.devices], nextPageToken: page.nextPageToken });
  });
  const firstNames = new Set(data?.devices.map(({ name }) => name));
  // What is new moves others to a later page, so a device may be on two.
  const devices = data && [...data.devices, ...more.devices.filter(({ name }) => !firstNames.has(name))];
  const isFiltered = Boolean(query.get("query") || type);
  return (
    <Page
      title="Devices"
      about="What sends events: labels, last values and up to 31 days of history."
      actions={
        can("emulator.create") && (
          <Button icon="plus" onClick={() => setAdding(true)}>
            New emulated device
          </Button>
        )
      }
    >
      <div class="bar" role="search">
        <div class="with-icon search">
          <Icon name="search" />
          <input
            class="input"
            type="search"
            aria-label="Search devices by name or id"
            placeholder="Search by name or id"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        <select
          class="input auto"
          aria-label="Type of device"
          value={type}
          onChange={(event) => setQuery({ type: event.currentTarget.value })}
        >
          <option value="">All types</option>
          {TYPES.map((each) => (
            <option key={each} value={each}>
              {typeName(each)}
            </option>
          ))}
        </select>
        <span class="rest" />
        <Curl call={["GET", path]} what="the devices" />
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={6} />}
      {devices?.length === 0 && (
        <div class="card">
          {isFiltered ? (
            <Empty
              icon="search"
              title="No device fits"
              action={
                <Button
                  onClick={() => {
                    setText("");
                    setQuery({ query: "", type: "" });
                  }}
                >
                  Show all devices
                </Button>
              }
            >
              Search for a part of a name or id, or choose another type.
            </Empty>
          ) : (
            <Empty icon="devices" title="No devices yet">
              A device appears here with its first event. An emulated device lets you try everything without one.
            </Empty>
          )}
        </div>
      )}
      {devices?.length > 0 && (
        <div class="table-frame">
          <table class="table folds">
            <thead>
              <tr>
                <th>Device</th>
                <th>Type</th>
                <th>Labels</th>
                <th class="number">Last value</th>
                <th class="number">Reported</th>
              </tr>
            </thead>
            <tbody>
              {devices.map((device) => (
                <Row key={device.name} project={project} device={device} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ErrorNote error={loadMore.error} />
      {nextPage && (
        <div class="row">
          <Button isBusy={loadMore.isBusy} onClick={loadMore.run}>
            Show more
          </Button>
        </div>
      )}
      {isAdding && <NewDevice project={project} onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Row({ project, device }) {
  const id = idOf(device.name);
  const last = newest(device.reported, device.type);
  const labels = Object.entries(device.labels).filter(([key]) => key !== "name");
  return (
    <tr>
      <td>
        <a class="main-link outside" href={href(`/projects/${project}/devices/${encodeURIComponent(id)}`)}>
          {clipped(device.labels.name || id)}
        </a>
        {device.labels.name && <div class="faint small mono break">{id}</div>}
      </td>
      <td data-name="Type">{device.type ? typeName(device.type) : <span class="faint">unknown</span>}</td>
      <td data-name="Labels" class={labels.length ? "" : "none"}>
        <span class="row">
          {labels.slice(0, SHOWN_LABELS).map(([key, value]) => (
            <Label key={key} name={key} value={value} />
          ))}
          {labels.length > SHOWN_LABELS && <span class="faint small">+{labels.length - SHOWN_LABELS}</span>}
        </span>
      </td>
      <td class="number" data-name="Last value">
        {last ? shown(last.measure, valueIn(last.measure, last.data)) : "–"}
      </td>
      <td class="number" data-name="Reported">
        <Time at={last?.data.updateTime} />
      </td>
    </tr>
  );
}

const LONGEST_SHOWN = 80; // In lists; the device's own page shows all of a name
const clipped = (text) => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);

/** One label: `room 2.04`. */
export const Label = ({ name, value }) => (
  <Badge class="plain label-chip">
    <span class="clip outside" title={`${name}: ${value}`}>
      <span class="label-key">{name}</span> {value}
    </span>
  </Badge>
);

function NewDevice({ project, onClose }) {
  const [values, setValues] = useState({ name: "", type: "temperature" });
  const path = `/projects/${project}/devices`;
  const body = { type: values.type, labels: values.name.trim() ? { name: values.name.trim() } : {} };
  const create = useAction(async () => {
    const device = await post(path, body);
    await go(`/projects/${project}/devices/${encodeURIComponent(idOf(device.name))}`);
  });
  const set = (name) => (event) => setValues({ ...values, [name]: event.currentTarget.value });
  return (
    <Dialog
      title="New emulated device"
      onClose={onClose}
      onSubmit={create.run}
      error={create.error}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={create.isBusy}>
            Create device
          </Button>
        </>
      }
    >
      <p class="dim">It has no sensor: you send its events with the API, and connectors deliver them like any other.</p>
      <Field label="Name" optional>
        {(its) => (
          <input {...its} class="input" autofocus autocomplete="off" value={values.name} onInput={set("name")} />
        )}
      </Field>
      <Field label="Type">
        {(its) => (
          <select {...its} class="input" value={values.type} onChange={set("type")}>
            {TYPES.map((each) => (
              <option key={each} value={each}>
                {typeName(each)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Dialog>
  );
}
