// One attempt: what was sent, what was answered, and what took how long. The answer comes from a
// stranger's server: it is shown as text.
import { idOf } from "../../api.js";
import { href } from "../../router.js";
import { useResource } from "../../resource.js";
import { bytes, duration, exactly } from "../../time.js";
import { Badge, Button, Code, ErrorNote, Loading, Note, Time } from "../../ui/basics.jsx";
import { Curl } from "../../ui/curl.jsx";
import { Sheet } from "../../ui/overlays.jsx";

const PHASES = [
  ["dns", "DNS"],
  ["connect", "Connect"],
  ["tls", "TLS"],
  ["firstByte", "First byte"],
  ["rest", "Rest"],
];

export const outcomeOf = ({ outcome, status, error }) =>
  status ? String(status) : outcome === "SUCCEEDED" ? "delivered" : error || "failed";

export function Outcome({ attempt }) {
  return <Badge kind={attempt.outcome === "SUCCEEDED" ? "good" : "bad"}>{outcomeOf(attempt)}</Badge>;
}

export function AttemptSheet({ base, project, id, onClose, onExplain, onResend }) {
  const path = `${base}/attempts/${id}`;
  const { data, error, isLoading, reload } = useResource(path);
  return (
    <Sheet
      title={data ? `Attempt ${data.attempt} of a ${data.eventType || "forgotten"} event` : "Attempt"}
      onClose={onClose}
      foot={
        data && (
          <>
            <Curl call={["GET", path]} what="this call" look="first" />
            {!data.isTest && (
              <Button icon="question" onClick={() => onExplain(data)}>
                Explain
              </Button>
            )}
            {onResend && !data.isTest && (
              <Button icon="send" onClick={() => onResend(data)}>
                Resend
              </Button>
            )}
          </>
        )
      }
    >
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={8} />}
      {data && <Attempt attempt={data} project={project} />}
    </Sheet>
  );
}

function Attempt({ attempt, project }) {
  const { request, response, durations } = attempt;
  return (
    <>
      <div class="row">
        <Outcome attempt={attempt} />
        <span class="outside">{attempt.message}</span>
      </div>
      <dl class="pairs">
        <dt>Time</dt>
        <dd>
          {exactly(attempt.attemptTime)} <span class="dim">(<Time at={attempt.attemptTime} />)</span>
        </dd>
        <dt>Event</dt>
        <dd>
          <code class="outside">{attempt.eventId}</code> {attempt.isTest && <Badge class="plain">test</Badge>}
        </dd>
        {attempt.deviceName && !attempt.isTest && (
          <>
            <dt>Device</dt>
            <dd>
              <a class="outside" href={href(`/projects/${project}/devices/${idOf(attempt.deviceName)}`)}>
                {idOf(attempt.deviceName)}
              </a>
            </dd>
          </>
        )}
        <dt>Next attempt</dt>
        <dd>
          <Time at={attempt.nextAttemptTime} fallback="none" />
        </dd>
        <dt>Size</dt>
        <dd>
          {bytes(attempt.requestBytes)} sent, {bytes(attempt.responseBytes)} received
        </dd>
      </dl>
      <section class="stack tight">
        <h3>Time by phase</h3>
        <Phases durations={durations} />
      </section>
      {attempt.sampledOneIn > 1 && (
        <Note>It stands for {attempt.sampledOneIn} deliveries: of those that succeed, one in so many is kept.</Note>
      )}
      <Message title="Request" first={`${request.method} ${request.url}`} message={request} />
      {response ? (
        <Message title="Answer" first={`Status ${response.status}`} message={response} />
      ) : (
        <section class="stack tight">
          <h3>Answer</h3>
          <p class="dim">There was none.</p>
        </section>
      )}
    </>
  );
}

function Phases({ durations }) {
  const total = durations.total ?? 0;
  const parts = PHASES.filter(([name]) => durations[name] !== null);
  return (
    <>
      <div class="phases" aria-hidden="true">
        {parts.map(([name]) => (
          <span key={name} class={name} style={{ flexGrow: Math.max(durations[name] / (total || 1), 0.004) }} />
        ))}
      </div>
      <ul class="legend row">
        <li>
          Total <b>{duration(durations.total)}</b>
        </li>
        {parts.map(([name, text]) => (
          <li key={name} class={`phase ${name}`}>
            {text} <b>{duration(durations[name])}</b>
          </li>
        ))}
        <li class="dim">after {duration(durations.queue)} in the queue</li>
      </ul>
      {durations.connect === null && durations.firstByte !== null && (
        <p class="hint">The connection was open already: no DNS, connect or TLS.</p>
      )}
    </>
  );
}

/** JSON with line breaks, other text as it is. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A request or an answer. `isExact` shows the body as it is, byte for byte. */
export function Message({ title, first, message, isExact = false }) {
  const head = [first, ...message.headers.map(({ name, value }) => `${name}: ${value}`)].join("\n");
  return (
    <section class="stack tight">
      <h3>{title}</h3>
      <Code text={head} label={`${title}: headers`} wraps />
      {message.body ? (
        <Code text={isExact ? message.body : readable(message.body)} label={`${title}: body`} wraps />
      ) : (
        <p class="dim">The body is empty.</p>
      )}
      {message.isTruncated && <p class="hint">Only the beginning of it is kept.</p>}
    </section>
  );
}
