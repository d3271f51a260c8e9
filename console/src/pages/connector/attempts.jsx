// The attempts of a connector, live, with filters that a link can carry.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, idOf, withQuery } from "../../api.js";
import { setQuery, usePlace } from "../../router.js";
import { useAction, useResource } from "../../resource.js";
import { counted, duration } from "../../time.js";
import { Badge, Button, Empty, ErrorNote, Loading, Segments, Time } from "../../ui/basics.jsx";
import { Curl } from "../../ui/curl.jsx";
import { Outcome } from "./attempt.jsx";

const EVERY_MS = 5_000;
const PAGE = 50;
const TYPED_MS = 400; // Until what is typed into a filter is read

const OUTCOMES = [
  ["", "All"],
  ["FAILED", "Failed"],
  ["SUCCEEDED", "Delivered"],
];

/** A text field that is applied when somebody has stopped typing. */
function Filter({ name, label, value }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = setTimeout(() => setQuery({ [name]: text.trim() }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      class="input attempt-filter"
      type="search"
      aria-label={label}
      placeholder={label}
      autocomplete="off"
      spellcheck={false}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}

/** The attempts' ids that were not there when the list was first read. */
function useArrivals(path, attempts) {
  const seen = useRef({ path: null, names: new Set() });
  if (!attempts) return new Set();
  if (seen.current.path !== path) seen.current = { path, names: new Set(attempts.map(({ name }) => name)) };
  return new Set(attempts.map(({ name }) => name).filter((name) => !seen.current.names.has(name)));
}

export function Attempts({ base, project, canTest, onOpen, onTest }) {
  const { query } = usePlace();
  const filter = {
    outcome: query.get("outcome") ?? "",
    eventId: query.get("event") ?? "",
    deviceName: query.get("device") ?? "",
  };
  const device = filter.deviceName;
  const asked = { ...filter, deviceName: device && !device.includes("/") ? `projects/${project}/devices/${device}` : device };
  const path = withQuery(`${base}/attempts`, { ...asked, pageSize: PAGE });
  const { data, error, isLoading, reload } = useResource(path, { every: EVERY_MS });
  const [older, setOlder] = useState({ path, attempts: [], token: null });
  const further = older.path === path ? older : { path, attempts: [], token: null };
  const token = further.token ?? data?.nextPageToken;
  const more = useAction(async () => {
    const page = await get(withQuery(path, { pageToken: token }));
    setOlder({ path, attempts: [...further.attempts, ...page.attempts], token: page.nextPageToken });
  });
  const newest = new Set(data?.attempts.map(({ name }) => name));
  const attempts = data && [...data.attempts, ...further.attempts.filter(({ name }) => !newest.has(name))];
  const arrivals = useArrivals(path, data?.attempts);
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <section class="stack" aria-label="Attempts">
      <div class="bar attempts-bar">
        <h2 class="grow">Attempts</h2>
        <Segments
          label="Outcome"
          value={filter.outcome}
          options={OUTCOMES}
          onChange={(outcome) => setQuery({ outcome })}
        />
        <Filter name="event" label="Event id" value={filter.eventId} />
        <Filter name="device" label="Device id" value={filter.deviceName} />
        <Curl call={["GET", path]} what="the attempts" />
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={6} />}
      {attempts?.length === 0 && (
        <div class="card">
          {isFiltered ? (
            <Empty
              icon="search"
              title="No attempt fits"
              action={<Button onClick={() => setQuery({ outcome: "", event: "", device: "" })}>Show all attempts</Button>}
            >
              {token ? "Older ones may: this page has none." : "Attempts are kept for 3 days."}
            </Empty>
          ) : (
            <Empty
              icon="send"
              title={data.log.mode === "OFF" ? "This stack does not log attempts" : "No attempts yet"}
              action={canTest && <Button look="primary" icon="send" onClick={onTest}>Send a test event</Button>}
            >
              {data.log.mode === "OFF"
                ? "Its parameter AttemptLog is off. The plot still counts them."
                : "Each time that an event is pushed, it appears here, with request and answer."}
            </Empty>
          )}
        </div>
      )}
      {attempts?.length > 0 && <List attempts={attempts} arrivals={arrivals} onOpen={onOpen} />}
      <ErrorNote error={more.error} />
      <div class="row spread">
        <p class="hint">{data && <LogSaid log={data.log} />}</p>
        {token && (
          <Button isBusy={more.isBusy} onClick={more.run}>
            Show older attempts
          </Button>
        )}
      </div>
    </section>
  );
}

function LogSaid({ log }) {
  const said = {
    ALL: "All attempts of the last 3 days are here.",
    SAMPLED: `All failures of the last 3 days are here, and one in ${log.successesOneIn} deliveries.`,
    FAILURES: "Failures of the last 3 days are here; deliveries are counted in the plot.",
    OFF: "",
  }[log.mode];
  return (
    <>
      {said}
      {log.dropped > 0 && ` ${counted(log.dropped, "attempt")} came too fast to be logged.`}
    </>
  );
}

function List({ attempts, arrivals, onOpen }) {
  return (
    <div class="table-frame">
      <table class="table folds dense">
        <thead>
          <tr>
            <th class="shrink">Time</th>
            <th class="shrink">Outcome</th>
            <th>What happened</th>
            <th>Event</th>
            <th>Device</th>
            <th class="number">Attempt</th>
            <th class="number">Took</th>
            <th class="shrink">Next</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((each) => (
            <tr key={each.name} class={`opens ${arrivals.has(each.name) ? "new" : ""}`} onClick={() => onOpen(idOf(each.name))}>
              <td class="shrink">
                <button type="button" class="button link">
                  <Time at={each.attemptTime} />
                  <span class="visually-hidden">: open the attempt</span>
                </button>
              </td>
              <td class="shrink corner" data-name="Outcome">
                <Outcome attempt={each} />
              </td>
              <td class="attempt-said bare" data-name="What happened">
                <span class="outside">{each.message}</span>
              </td>
              <td data-name="Event">
                <span class="row">
                  <span class="outside">{each.eventType || "–"}</span>
                  {each.isTest && <Badge class="plain accent">test</Badge>}
                </span>
              </td>
              <td class="attempt-device" data-name="Device">
                <span class="outside dim">{each.deviceName ? idOf(each.deviceName) : "–"}</span>
              </td>
              <td class="number half" data-name="Attempt">
                {each.attempt}
              </td>
              <td class="number half" data-name="Took">
                {duration(each.durations.total)}
              </td>
              <td class="shrink" data-name="Next">
                {each.nextAttemptTime && <Time at={each.nextAttemptTime} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
