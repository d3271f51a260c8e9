// The connectors of a project, each with its state and what it delivered lately.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { all } from "../api.js";
import { chosen, rowsOf, STATES } from "../health.js";
import { usePermissions } from "../project.js";
import { useResource } from "../resource.js";
import { href, setQuery, usePlace } from "../router.js";
import { count, counted } from "../time.js";
import { Badge, Button, Empty, ErrorNote, Loading, Page, Time } from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";
import { Icon } from "../ui/icons.jsx";
import { Sparkline } from "../ui/sparkline.jsx";

const SETTINGS_MS = 30_000;
const LIVE_MS = 5_000; // Of a project with few connectors, where somebody waits for the first success
const MANY = 25; // Connectors of one page of timelines: beyond that, reading all of them takes several calls
const LIVE_OF_MANY_MS = 60_000;
const AT_ONCE = 50; // Rows that are drawn; the rest follows on demand
const PAGE_SIZE = 100;

const list = (path, key) => ({ path: `${path}?pageSize=${PAGE_SIZE}`, load: (from, options) => all(from, key, options) });

export function Connectors({ project }) {
  const base = `/projects/${project}/dataconnectors`;
  const { can } = usePermissions(project);
  const { query } = usePlace();
  const settings = list(base, "dataConnectors");
  const connectors = useResource(settings.path, { every: SETTINGS_MS, load: settings.load });
  const every = (connectors.data?.length ?? 0) > MANY ? LIVE_OF_MANY_MS : LIVE_MS;
  const states = list(`${base}:health`, "dataConnectorHealth");
  const health = useResource(connectors.data?.length ? states.path : null, { every, load: states.load });
  const lately = list(`${base}:timeline`, "timelines");
  const timelines = useResource(connectors.data?.length ? lately.path : null, { every, load: lately.load });
  const [limit, setLimit] = useState(AT_ONCE);
  const rows = useMemo(
    () => rowsOf(connectors.data ?? [], health.data, timelines.data),
    [connectors.data, health.data, timelines.data],
  );
  const turned = useTurned(rows);
  const text = query.get("search") ?? "";
  const state = query.get("state") ?? "";
  const found = chosen(rows, text, state);
  const inStates = Object.keys(STATES).filter((each) => each === state || rows.some((row) => row.state === each));
  const reload = () => {
    connectors.reload();
    health.reload();
    timelines.reload();
  };
  const isEmpty = connectors.data?.length === 0;
  const make = can("dataconnector.create") && (
    <Button look="primary" icon="plus" href={href(`/projects/${project}/connectors/new`)}>
      New connector
    </Button>
  );
  return (
    <Page title="Connectors" about="Each pushes the project's events to an HTTPS endpoint." actions={!isEmpty && make}>
      <ErrorNote error={connectors.error ?? health.error ?? timelines.error} onRetry={reload} />
      {connectors.isLoading && <Loading lines={6} />}
      {isEmpty && (
        <div class="card">
          <Empty title="No connectors yet" action={make}>
            A connector pushes the events of this project to an endpoint of yours, signed, and again until they are acknowledged. The
            first one takes a minute.
            {!make && " Your role may not make one: ask an administrator of the project."}
          </Empty>
        </div>
      )}
      {rows.length > 0 && (
        <>
          <div class="bar">
            <div class="with-icon search">
              <Icon name="search" />
              <input
                class="input"
                type="search"
                aria-label="Search by name, URL or id"
                placeholder="Search by name, URL or id"
                value={text}
                onInput={(event) => {
                  setQuery({ search: event.currentTarget.value });
                  setLimit(AT_ONCE);
                }}
              />
            </div>
            <select
              class="input auto"
              aria-label="State"
              value={state}
              onChange={(event) => setQuery({ state: event.currentTarget.value })}
            >
              <option value="">All states</option>
              {inStates.map((each) => (
                <option key={each} value={each}>
                  {STATES[each]?.[1]}
                </option>
              ))}
            </select>
            <span class="rest end dim small" role="status">
              {found.length === rows.length ? counted(rows.length, "connector") : `${count(found.length)} of ${count(rows.length)}`}
            </span>
            <Curl call={["GET", settings.path]} what="the connectors" />
          </div>
          {found.length === 0 ? (
            <div class="card">
              <Empty
                icon="search"
                title="No connector is like that"
                action={<Button onClick={() => setQuery({ search: "", state: "" })}>Show all</Button>}
              >
                Search looks at names, URLs and ids.
              </Empty>
            </div>
          ) : (
            <Table project={project} rows={found.slice(0, limit)} turned={turned} />
          )}
          {found.length > limit && (
            <div class="row">
              <Button onClick={() => setLimit(limit + AT_ONCE)}>Show {Math.min(AT_ONCE, found.length - limit)} more</Button>
              <span class="dim small">
                {count(limit)} of {count(found.length)} are shown
              </span>
            </div>
          )}
        </>
      )}
    </Page>
  );
}

/** The ids of connectors that became healthy while somebody looked. */
function useTurned(rows) {
  const before = useRef(new Map());
  const [turned, setTurned] = useState(new Set());
  useEffect(() => {
    const now = rows.filter((row) => row.state === "HEALTHY" && before.current.has(row.id) && before.current.get(row.id) !== "HEALTHY");
    if (now.length > 0) setTurned((old) => new Set([...old, ...now.map((row) => row.id)]));
    // While its successes are not known yet, an idle one looks healthy.
    before.current = new Map(rows.filter((row) => row.state && row.points).map((row) => [row.id, row.state]));
  }, [rows]);
  return turned;
}

const Table = ({ project, rows, turned }) => (
  <div class="table-frame">
    <table class="table folds dense">
      <thead>
        <tr>
          <th>Connector</th>
          <th>State</th>
          <th>Last 3 hours</th>
          <th class="number">Delivered</th>
          <th class="number">Errors</th>
          <th>Last error</th>
          <th>Next attempt</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} project={project} isTurned={turned.has(row.id)} />
        ))}
      </tbody>
    </table>
  </div>
);

function Row({ row, project, isTurned }) {
  const [kind, word] = STATES[row.state] ?? ["hollow", row.state?.toLowerCase() ?? "…"];
  return (
    <tr>
      <td class="connector-cell">
        <a class="main-link outside clip" href={href(`/projects/${project}/connectors/${row.id}`)} title={row.name}>
          {row.name}
        </a>
        <span class="outside clip dim small" title={row.url}>
          {row.url}
        </span>
      </td>
      <td data-name="State" class="shrink corner">
        <Badge kind={kind} class={isTurned ? "turned" : ""}>
          {word}
        </Badge>
      </td>
      <td data-name="Last 3 hours" class="bare">
        <Sparkline points={row.points} label={`${count(row.successes)} delivered, ${counted(row.errors, "error")}`} />
      </td>
      <td data-name="Delivered" class="number half">
        {count(row.successes)}
      </td>
      <td data-name="Errors" class={`number half ${row.errors ? "bad-text" : ""}`}>
        {count(row.errors)}
      </td>
      <td data-name="Last error" class={`said-cell ${row.lastError ? "" : "none"}`}>
        {row.lastError ? (
          <span>
            <span class="outside clip-lines" title={row.lastError.message}>
              {row.lastError.message}
            </span>
            <span class="dim small">
              <Time at={row.lastError.time} />
            </span>
          </span>
        ) : (
          <span class="faint">–</span>
        )}
      </td>
      <td data-name="Next attempt" class={`shrink ${row.nextAttemptTime ? "" : "none"}`}>
        <Time at={row.nextAttemptTime} />
      </td>
    </tr>
  );
}
