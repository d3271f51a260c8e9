// One connector: how it is doing, what it delivers, and what can be done about it.
import { useState } from "preact/hooks";
import { idOf, post } from "../api.js";
import { curl } from "../curl.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { href, setQuery, usePlace } from "../router.js";
import { count, duration } from "../time.js";
import { Badge, Button, Card, Empty, ErrorNote, Loading, Note, Page, Time } from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";
import { Confirm, Menu } from "../ui/overlays.jsx";
import { Icon } from "../ui/icons.jsx";
import { toast } from "../ui/toasts.jsx";
import { AuditEntries } from "./audit_entries.jsx";
import { AttemptSheet } from "./connector/attempt.jsx";
import { Attempts } from "./connector/attempts.jsx";
import { ExplainDialog, PreviewDialog, ResendDialog, TestDialog } from "./connector/deliveries.jsx";
import { DeliveriesPlot } from "./connector/plot.jsx";
import { Replays } from "./connector/replays.jsx";

const HEALTH_MS = 5_000;
const SETTINGS_MS = 30_000;
const TIMELINE_MS = 20_000;

const STATES = {
  HEALTHY: ["good", "healthy"],
  FAILING: ["warn", "failing"],
  OUTAGE: ["bad", "in outage"],
  PAUSED: ["accent hollow", "paused"],
  DISABLED: ["hollow", "disabled"],
};

const SAID = {
  FAILING: "The last attempts failed. Each event is tried again for 12 hours.",
  OUTAGE: "One event at a time is tried; the first success ends the outage.",
  PAUSED: "Events are held, each for 12 hours at most.",
  DISABLED: "Events are dropped, and never pushed later.",
};

const NEXT = { OUTAGE: "of one event", FAILING: "each failed event has its own" };

export function Connector({ project, connector, tab = "" }) {
  const base = `/projects/${project}/dataconnectors/${connector}`;
  const here = `/projects/${project}/connectors/${connector}`;
  const { query } = usePlace();
  const { can } = usePermissions(project);
  const settings = useResource(base, { every: SETTINGS_MS });
  const health = useResource(`${base}:health`, { every: HEALTH_MS });
  const [dialog, setDialog] = useState(null);
  const [isPausing, setPausing] = useState(false);
  const close = () => setDialog(null);
  const mayChange = can("dataconnector.update");
  const { data } = settings;
  const isActive = data?.status === "ACTIVE";
  const isPaused = health.data?.state === "PAUSED";
  const reload = () => {
    settings.reload();
    health.reload();
  };
  const resume = useAction(async () => {
    await post(`${base}:resume`);
    toast("Resumed: what was held is pushed within minutes");
    reload();
  });
  const open = (attempt, event) => {
    close();
    setQuery(attempt ? { attempt } : { attempt: "", outcome: "", device: "", event });
  };
  const ask = (name) => (attempt) => {
    setQuery({ attempt: "" });
    const device = attempt?.deviceName ? idOf(attempt.deviceName) : "";
    setDialog({ name, of: { event: attempt?.eventId ?? "", device } });
  };
  const test = () => setDialog({ name: "test" });
  const crumbs = <a href={href(`/projects/${project}/connectors`)}>Connectors</a>;

  if (settings.error && !data) {
    return (
      <Page title="Connector" crumbs={crumbs}>
        {settings.error.status === 404 ? (
          <div class="card">
            <Empty
              title="There is no such connector"
              action={<Button href={href(`/projects/${project}/connectors`)}>All connectors</Button>}
            >
              It was deleted, or is in another project.
            </Empty>
          </div>
        ) : (
          <ErrorNote error={settings.error} onRetry={settings.reload} />
        )}
      </Page>
    );
  }
  const [kind, word] = STATES[health.data?.state] ?? ["", ""];
  const shared = { base, onClose: close, onOpen: open };
  const tabs = [
    ["", "Deliveries"],
    ["replays", "Replays and gaps"],
    ...(can("audit.read") ? [["changes", "Changes"]] : []),
  ];
  return (
    <Page
      title={data ? data.displayName || connector : "Connector"}
      crumbs={crumbs}
      about={
        <span class="row">
          {word && <Badge kind={kind}>{word}</Badge>}
          {data && <span class="outside">{data.httpConfig.url}</span>}
        </span>
      }
      actions={
        data && (
          <>
            {mayChange && (
              <Button look="primary" icon="send" disabled={!isActive || isPaused} onClick={test}>
                Send test event
              </Button>
            )}
            {mayChange && isActive && !isPaused && health.data && (
              <Button icon="pause" onClick={() => setPausing(true)}>
                Pause
              </Button>
            )}
            {mayChange && isPaused && (
              <Button icon="play" isBusy={resume.isBusy} onClick={resume.run}>
                Resume
              </Button>
            )}
            {mayChange && (
              <Button icon="edit" href={href(`${here}/edit`)}>
                Edit
              </Button>
            )}
            <More base={base} mayChange={mayChange} isPaused={isPaused} ask={ask} onPreview={() => setDialog({ name: "preview" })} />
          </>
        )
      }
    >
      <ErrorNote error={resume.error} title="It is not resumed" />
      <ErrorNote error={settings.error ?? health.error} onRetry={reload} />
      <Health health={health.data} isLoading={health.isLoading} />
      <nav class="tabs" aria-label="Parts of the connector">
        {tabs.map(([id, text]) => (
          <a key={id} href={href(id ? `${here}/${id}` : here)} aria-current={id === tab ? "page" : undefined}>
            {text}
          </a>
        ))}
      </nav>
      {tab === "" && (
        <>
          <Timeline base={base} />
          <Attempts
            base={base}
            project={project}
            canTest={mayChange && isActive && !isPaused}
            onOpen={open}
            onTest={test}
          />
        </>
      )}
      {tab === "replays" && <Replays base={base} can={can} isActive={isActive} />}
      {tab === "changes" && <AuditEntries project={project} name={`projects/${project}/dataconnectors/${connector}`} title="Changes" />}
      {!tabs.some(([id]) => id === tab) && <Empty title="There is no such page">Choose one above.</Empty>}

      {query.get("attempt") && (
        <AttemptSheet
          base={base}
          project={project}
          id={query.get("attempt")}
          onClose={() => setQuery({ attempt: "" })}
          onExplain={ask("explain")}
          onResend={mayChange && ask("resend")}
        />
      )}
      {dialog?.name === "test" && <TestDialog {...shared} types={data.events} />}
      {dialog?.name === "preview" && <PreviewDialog {...shared} types={data.events} />}
      {dialog?.name === "explain" && <ExplainDialog {...shared} of={dialog.of} onResend={mayChange && ask("resend")} />}
      {dialog?.name === "resend" && <ResendDialog {...shared} of={dialog.of} />}
      {isPausing && (
        <Confirm
          title="Pause the connector?"
          verb="Pause"
          call={["POST", `${base}:pause`]}
          onClose={() => setPausing(false)}
          onConfirm={async () => {
            await post(`${base}:pause`);
            toast("Paused");
            reload();
          }}
        >
          <p>
            Its events are held until it is resumed, each for 12 hours at most. What is older by then expires, and a
            replay can push it.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

function More({ base, mayChange, isPaused, ask, onPreview }) {
  const copies = [
    ["its settings", curl("GET", base)],
    ["its health", curl("GET", `${base}:health`)],
    ["the plot", curl("GET", `${base}:timeline`)],
    ...(mayChange ? [[isPaused ? "resume" : "pause", curl("POST", `${base}:${isPaused ? "resume" : "pause"}`)]] : []),
  ];
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied. Put a token into $TOKEN first");
    } catch {
      toast("The browser did not allow copying.", "bad");
    }
  }
  return (
    <Menu label="More">
      {(close) => {
        const item = (icon, text, action) => (
          <button
            key={text}
            type="button"
            onClick={() => {
              close();
              action();
            }}
          >
            <Icon name={icon} />
            {text}
          </button>
        );
        return (
          <>
            {item("question", "Explain an event…", ask("explain"))}
            {item("eye", "Preview a delivery…", onPreview)}
            {mayChange && item("replay", "Resend an event…", ask("resend"))}
            <hr />
            {copies.map(([what, text]) => item("code", `Copy curl: ${what}`, () => copy(text)))}
          </>
        );
      }}
    </Menu>
  );
}

function Health({ health, isLoading }) {
  if (isLoading) return <Loading lines={2} />;
  if (!health) return null;
  const { backlog, lastError, state } = health;
  const kind = STATES[state]?.[0].split(" ")[0];
  return (
    <div class="stack">
      {SAID[state] && (
        <Note kind={kind === "bad" || kind === "warn" ? "warn" : "info"} title={`It is ${STATES[state][1]}`}>
          {health.since && (
            <>
              It began <Time at={health.since} />.{" "}
            </>
          )}
          {SAID[state]}
        </Note>
      )}
      <dl class="tiles">
        <Tile name="Last success" note={health.lastSuccessTime ? "to the minute" : "in the last 24 hours"}>
          <Time at={health.lastSuccessTime} fallback="None" />
        </Tile>
        <Tile name="Last error" note={lastError && <span class="outside error-said">{lastError.message}</span>}>
          {lastError ? <Time at={lastError.time} /> : <span class="faint">None</span>}
        </Tile>
        <Tile name="Next attempt" note={NEXT[state] ?? "only in an outage"}>
          <Time at={health.nextAttemptTime} fallback="–" />
        </Tile>
        <Tile
          name="Backlog"
          note={
            backlog.oldestTime ? (
              <>
                the oldest from <Time at={backlog.oldestTime} />
              </>
            ) : (
              backlog.inFlight > 0 && `${count(backlog.inFlight)} in an attempt, or between two`
            )
          }
        >
          {count(backlog.waiting + backlog.inFlight)}
        </Tile>
      </dl>
    </div>
  );
}

const Tile = ({ name, note, children }) => (
  <div class="tile">
    <dt>{name}</dt>
    <dd>
      {children}
      {note && <div class="tile-note">{note}</div>}
    </dd>
  </div>
);

function Timeline({ base }) {
  const path = `${base}:timeline`;
  const { data, error, isLoading, reload } = useResource(path, { every: TIMELINE_MS });
  return (
    <Card
      title="The last 3 hours"
      about={data && `Attempts and latencies, in steps of ${duration(data.stepSeconds * 1000)}`}
      action={<Curl call={["GET", path]} what="the last 3 hours" />}
    >
      <div class="stack">
        <ErrorNote error={error} onRetry={reload} />
        {isLoading && <Loading lines={6} />}
        {data && <DeliveriesPlot timeline={data} />}
      </div>
    </Card>
  );
}
