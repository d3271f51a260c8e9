// Replays with their progress, gaps that a replay fills, and events that expired.
import { useState } from "preact/hooks";
import { get, idOf, post, withQuery } from "../../api.js";
import { useAction, useResource } from "../../resource.js";
import { count, counted, exactly, shortly } from "../../time.js";
import { Badge, Button, Card, Empty, ErrorNote, Field, Loading, Note, Time } from "../../ui/basics.jsx";
import { Curl } from "../../ui/curl.jsx";
import { Confirm, Dialog } from "../../ui/overlays.jsx";
import { toast } from "../../ui/toasts.jsx";

const RUNNING_MS = 5_000;
const IDLE_MS = 30_000;
const PAGE = 20;
const HOUR_MS = 3_600_000;
const DAYS = 31; // Of history

const STATES = {
  RUNNING: ["accent", "running"],
  SUCCEEDED: ["good", "done"],
  CANCELLED: ["", "cancelled"],
  FAILED: ["bad", "failed"],
};

/** What `<input type="datetime-local">` shows for a time, in the browser's time zone. */
export function toInput(ms) {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** The entries of a list with a button for older ones. */
function usePages(path, key, every) {
  const { data, error, isLoading, reload } = useResource(path, { every });
  const [older, setOlder] = useState({ entries: [], token: null });
  const token = older.token ?? data?.nextPageToken;
  const more = useAction(async () => {
    const page = await get(withQuery(path, { pageToken: token }));
    setOlder({ entries: [...older.entries, ...page[key]], token: page.nextPageToken });
  });
  return { entries: data && [...data[key], ...older.entries], error, isLoading, reload, more, hasMore: Boolean(token) };
}

function More({ pages, children }) {
  return (
    <>
      <ErrorNote error={pages.more.error} />
      {pages.hasMore && (
        <div class="card-body">
          <Button look="slim" isBusy={pages.more.isBusy} onClick={pages.more.run}>
            {children}
          </Button>
        </div>
      )}
    </>
  );
}

export function Replays({ base, can, isActive }) {
  const mayReplay = can("dataconnector.update");
  const maySeeGaps = can("dataconnector.expired.read");
  const [asked, setAsked] = useState(null);
  const [isRunning, setRunning] = useState(false);
  const path = withQuery(`${base}/replays`, { pageSize: PAGE });
  const replays = usePages(path, "replays", isRunning ? RUNNING_MS : IDLE_MS);
  const runs = replays.entries?.some(({ state }) => state === "RUNNING") ?? false;
  if (runs !== isRunning) setRunning(runs);
  return (
    <>
      <Card
        title="Replays"
        about="Push a part of history once more, with the events' own ids. Fresh events do not wait for it."
        body={false}
        action={
          <div class="actions">
            <Curl call={["GET", path]} what="the replays" />
            {mayReplay && (
              <Button
                look="primary"
                icon="replay"
                disabled={!isActive || isRunning}
                title={isRunning ? "One runs already" : isActive ? undefined : "The connector is disabled"}
                onClick={() => setAsked({})}
              >
                Replay…
              </Button>
            )}
          </div>
        }
      >
        <ErrorNote error={replays.error} onRetry={replays.reload} />
        {replays.isLoading && (
          <div class="card-body">
            <Loading />
          </div>
        )}
        {replays.entries?.length === 0 && (
          <Empty icon="replay" title="No replays">
            After a receiver has lost events, a replay gives it those of the last {DAYS} days again.
          </Empty>
        )}
        {replays.entries?.length > 0 && (
          <ul class="replays">
            {replays.entries.map((each) => (
              <Replay key={each.name} replay={each} base={base} mayCancel={mayReplay} onChanged={replays.reload} />
            ))}
          </ul>
        )}
        <More pages={replays}>Show older replays</More>
      </Card>
      {maySeeGaps && <Gaps base={base} onReplay={mayReplay && isActive && !isRunning ? setAsked : null} />}
      {maySeeGaps && <Expired base={base} />}
      {asked && (
        <ReplayDialog
          base={base}
          of={asked}
          onClose={() => setAsked(null)}
          onStarted={() => {
            setAsked(null);
            toast("The replay has started");
            replays.reload();
          }}
        />
      )}
    </>
  );
}

function Replay({ replay, base, mayCancel, onChanged }) {
  const [isAsked, setAsked] = useState(false);
  const [kind, word] = STATES[replay.state] ?? ["", replay.state];
  const done = replay.sent + replay.skipped;
  const cancel = `${base}/replays/${idOf(replay.name)}:cancel`;
  return (
    <li>
      <div class="row spread">
        <span class="row">
          <Badge kind={kind}>{word}</Badge>
          <span title={`${exactly(replay.startTime)} – ${exactly(replay.endTime)}`}>
            {shortly(replay.startTime)} – {shortly(replay.endTime)}
          </span>
          <span class="dim">
            started <Time at={replay.createTime} />
          </span>
        </span>
        {replay.state === "RUNNING" && mayCancel && (
          <span class="row">
            <Curl call={["POST", cancel]} what="cancel the replay" />
            <Button look="slim" onClick={() => setAsked(true)}>
              Cancel
            </Button>
          </span>
        )}
      </div>
      {replay.state === "RUNNING" && (
        <progress
          aria-label="Progress of the replay"
          {...(replay.total !== null && { value: done, max: Math.max(replay.total, 1) })}
        />
      )}
      <p class="dim number left">
        {replay.total === null ? `${count(done)} so far, counting` : `${count(done)} of ${counted(replay.total, "event")}`}
        {replay.skipped > 0 && ` · ${count(replay.skipped)} not pushed`}
        {replay.eventTypes.length > 0 && ` · ${replay.eventTypes.join(", ")}`}
        {replay.devices.length > 0 && ` · ${counted(replay.devices.length, "device")}`}
      </p>
      {replay.error && (
        <Note kind="bad">
          <span class="outside">{replay.error}</span>
        </Note>
      )}
      {isAsked && (
        <Confirm
          title="Cancel the replay?"
          verb="Cancel the replay"
          call={["POST", cancel]}
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await post(cancel);
            onChanged();
          }}
        >
          <p>What is in the queue by now is still pushed.</p>
        </Confirm>
      )}
    </li>
  );
}

function ReplayDialog({ base, of, onClose, onStarted }) {
  const [start, setStart] = useState(toInput(of.startTime ? Date.parse(of.startTime) : Date.now() - HOUR_MS));
  const [end, setEnd] = useState(toInput(of.endTime ? Date.parse(of.endTime) : Date.now()));
  const path = `${base}:replay`;
  // A gap's replay is exact to the microsecond; the fields show seconds.
  const isAsGiven = of.startTime && start === toInput(Date.parse(of.startTime)) && end === toInput(Date.parse(of.endTime));
  const isWhole = start && end;
  const body = isAsGiven
    ? of
    : { ...of, startTime: isWhole && new Date(start).toISOString(), endTime: isWhole && new Date(end).toISOString() };
  const run = useAction(async () => {
    await post(path, body);
    onStarted();
  });
  const { error } = run;
  const errorOf = (name) => (error?.field === name ? error.text : undefined);
  const input = (value, set) => (props) => (
    <input
      class="input"
      type="datetime-local"
      step={1}
      min={toInput(Date.now() - DAYS * 24 * HOUR_MS)}
      value={value}
      onInput={(event) => set(event.currentTarget.value)}
      {...props}
    />
  );
  return (
    <Dialog
      title="Replay history"
      onClose={onClose}
      onSubmit={() => isWhole && run.run()}
      error={["startTime", "endTime"].includes(error?.field) ? null : error}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button type="submit" look="primary" icon="replay" isBusy={run.isBusy} disabled={!isWhole}>
            Start
          </Button>
        </>
      }
    >
      <p class="dim">Events that the connector wants, of all devices, the oldest first. Some may arrive twice.</p>
      <Field label="From" error={errorOf("startTime")}>
        {input(start, setStart)}
      </Field>
      <Field label="Until" error={errorOf("endTime")}>
        {input(end, setEnd)}
      </Field>
    </Dialog>
  );
}

const REASONS = { EXPIRED: "not acknowledged within 12 h", UNACCOUNTED: "deleted unattempted, about" };

function Gaps({ base, onReplay }) {
  const path = withQuery(`${base}/gaps`, { pageSize: PAGE });
  const gaps = usePages(path, "gaps", IDLE_MS);
  return (
    <Card
      title="Gaps"
      about="What the endpoint never got."
      body={false}
      action={<Curl call={["GET", path]} what="the gaps" />}
    >
      <ErrorNote error={gaps.error} onRetry={gaps.reload} />
      {gaps.isLoading && (
        <div class="card-body">
          <Loading lines={2} />
        </div>
      )}
      {gaps.entries?.length === 0 && <p class="card-body dim">None: nothing was lost.</p>}
      {gaps.entries?.length > 0 && (
        <div class="table-frame">
          <table class="table folds">
            <thead>
              <tr>
                <th>Accepted</th>
                <th>Why</th>
                <th class="number">Events</th>
                <th class="shrink">
                  <span class="visually-hidden">Fill</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {gaps.entries.map((gap) => (
                <tr key={`${gap.reason}${gap.startTime}`}>
                  <td title={`${exactly(gap.startTime)} – ${exactly(gap.endTime)}`}>
                    {shortly(gap.startTime)} – {shortly(gap.endTime)}
                  </td>
                  <td data-name="Why">{REASONS[gap.reason] ?? gap.reason}</td>
                  <td class="number" data-name="Events">
                    {count(gap.count)}
                  </td>
                  <td class="shrink">
                    {gap.replay === null ? (
                      <span class="dim">not in history</span>
                    ) : (
                      onReplay && (
                        <Button look="slim" icon="replay" onClick={() => onReplay(gap.replay)}>
                          Fill…
                        </Button>
                      )
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More pages={gaps}>Show older gaps</More>
    </Card>
  );
}

function Expired({ base }) {
  const path = withQuery(`${base}/expired`, { pageSize: PAGE });
  const expired = usePages(path, "expiredEvents", IDLE_MS);
  return (
    <Card
      title="Expired events"
      about="Given up 12 hours after they were accepted."
      body={false}
      action={<Curl call={["GET", path]} what="the expired events" />}
    >
      <ErrorNote error={expired.error} onRetry={expired.reload} />
      {expired.isLoading && (
        <div class="card-body">
          <Loading lines={2} />
        </div>
      )}
      {expired.entries?.length === 0 && <p class="card-body dim">None.</p>}
      {expired.entries?.length > 0 && (
        <div class="table-frame">
          <table class="table folds">
            <thead>
              <tr>
                <th class="shrink">Expired</th>
                <th>Event</th>
                <th>Device</th>
                <th class="number">Receives</th>
                <th>Last error</th>
              </tr>
            </thead>
            <tbody>
              {expired.entries.map((each) => (
                <tr key={each.eventId}>
                  <td class="shrink">
                    <Time at={each.expiredTime} />
                  </td>
                  <td data-name="Event">
                    <span class="outside">{each.eventType || "–"}</span>
                    <div class="faint small outside">{each.eventId}</div>
                  </td>
                  <td data-name="Device">
                    <span class="outside dim">{each.targetName ? idOf(each.targetName) : "–"}</span>
                  </td>
                  <td class="number" data-name="Receives">
                    {count(each.attempts)}
                  </td>
                  <td data-name="Last error">
                    <span class="outside">{each.lastError?.message}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More pages={expired}>Show older ones</More>
    </Card>
  );
}
