// Single deliveries that somebody asks for: a test, one event once more, why one did not arrive,
// and what would be sent.
import { useEffect, useState } from "preact/hooks";
import { idOf, post, withQuery } from "../../api.js";
import { EVENT_TYPES } from "../../event_types.js";
import { useAction, useResource } from "../../resource.js";
import { Badge, Button, ErrorNote, Field, Loading, Note, Segments, Time } from "../../ui/basics.jsx";
import { Curl } from "../../ui/curl.jsx";
import { Dialog } from "../../ui/overlays.jsx";
import { Message, Outcome } from "./attempt.jsx";

const POLL_MS = 2_000;
const PATIENCE_MS = 120_000; // Longer than a queue, its batch and a slow endpoint take together

const field = (set) => ({ onInput: (event) => set(event.currentTarget.value) });

/** The event that a body names: what is empty is left out. */
const bodyOf = ({ event, device }) => ({ event, ...(device && { device }) });

/** What became of an event that was put into the queue: its attempts, as they are made. */
function Outcomes({ base, eventId, isLogged, onOpen }) {
  const [isWaiting, setWaiting] = useState(true);
  const path = withQuery(`${base}/attempts`, { eventId });
  const { data, error } = useResource(isLogged ? path : null, { every: isWaiting ? POLL_MS : 0 });
  const last = data?.attempts[0];
  useEffect(() => {
    const timer = setTimeout(() => setWaiting(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [eventId]);
  if (!isLogged) return <Note kind="good">It is in the queue. This stack logs no attempts: look at the endpoint.</Note>;
  return (
    <>
      <ErrorNote error={error} />
      {last ? (
        <Note
          kind={last.outcome === "SUCCEEDED" ? "good" : "bad"}
          title={last.outcome === "SUCCEEDED" ? "Delivered" : "Not delivered"}
          action={
            <Button look="slim" onClick={() => onOpen(idOf(last.name))}>
              Show request and answer
            </Button>
          }
        >
          <span class="outside">{last.message}</span>
        </Note>
      ) : isWaiting ? (
        <Note>
          <span class="row">
            <span class="spinner" aria-hidden="true" /> In the queue, on its way…
          </span>
        </Note>
      ) : (
        <Note kind="warn" title="Nothing yet">
          It was not attempted within two minutes. The connector may be in an outage, with a backlog before it.
        </Note>
      )}
      <p class="hint">
        Event <code class="outside">{eventId}</code>
      </p>
    </>
  );
}

export function TestDialog({ base, types, onClose, onOpen }) {
  const choices = types.length ? types : EVENT_TYPES;
  const [eventType, setType] = useState(choices[0]);
  const [sent, setSent] = useState(null);
  const path = `${base}:test`;
  const send = useAction(async () => {
    setSent(null);
    setSent(await post(path, { eventType }));
  });
  return (
    <Dialog
      title="Send a test event"
      onClose={onClose}
      onSubmit={send.run}
      error={send.error}
      foot={
        <>
          <Curl call={["POST", path, { eventType }]} what="this call" look="first" />
          <Button type="submit" look="primary" icon="send" isBusy={send.isBusy}>
            {sent ? "Send another" : "Send"}
          </Button>
        </>
      }
    >
      <p class="dim">
        A sample goes to this connector alone, once. It has the header <code class="unbroken">X-Dt-Test: true</code>, by which the
        receiver can tell.
      </p>
      <Field label="Event type">
        {(props) => (
          <select class="input" {...props} value={eventType} onChange={(event) => setType(event.currentTarget.value)}>
            {choices.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        )}
      </Field>
      {sent && (
        <Outcomes
          key={sent.eventId}
          base={base}
          eventId={sent.eventId}
          isLogged={sent.attemptsUrl !== ""}
          onOpen={onOpen}
        />
      )}
    </Dialog>
  );
}

/** An event's id and, to be sure that it is found, its device. */
function EventFields({ event, setEvent, device, setDevice, error }) {
  const errorOf = (name) => (error?.field === name ? error.text : undefined);
  return (
    <>
      <Field label="Event id" error={errorOf("event")}>
        {(props) => <input class="input" autocomplete="off" spellcheck={false} value={event} {...field(setEvent)} {...props} />}
      </Field>
      <Field
        label="Device id"
        optional
        hint="History is kept by device: with it, the event is found for sure."
        error={errorOf("device")}
      >
        {(props) => <input class="input" autocomplete="off" spellcheck={false} value={device} {...field(setDevice)} {...props} />}
      </Field>
    </>
  );
}

const elsewhere = (error) => (["event", "device"].includes(error?.field) ? null : error);

export function ResendDialog({ base, of, onClose, onOpen }) {
  const [event, setEvent] = useState(of.event);
  const [device, setDevice] = useState(of.device);
  const [sent, setSent] = useState(null);
  const path = `${base}:resend`;
  const body = bodyOf({ event: event.trim(), device: device.trim() });
  const send = useAction(async () => {
    setSent(null);
    setSent(await post(path, body));
  });
  return (
    <Dialog
      title="Resend an event"
      onClose={onClose}
      onSubmit={send.run}
      error={elsewhere(send.error)}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button type="submit" look="primary" icon="send" isBusy={send.isBusy} disabled={!body.event}>
            Resend
          </Button>
        </>
      }
    >
      <p class="dim">To this connector alone, with the event's own id. It is retried like any other event.</p>
      <EventFields {...{ event, setEvent, device, setDevice }} error={send.error} />
      {sent && (
        <Note kind="good" title="It is in the queue" action={
          <Button look="slim" onClick={() => onOpen(null, sent.eventId)}>Show its attempts</Button>
        }>
          Its attempts appear in the list within seconds.
        </Note>
      )}
    </Dialog>
  );
}

const VERDICTS = {
  DELIVERED: ["good", "Delivered"],
  WAITING: ["accent", "Waiting"],
  EXPIRED: ["bad", "Expired"],
  DROPPED: ["bad", "Dropped"],
  UNWANTED: ["", "Not wanted"],
  NOT_ACTIVE: ["warn", "Not active"],
  UNKNOWN: ["", "Not known"],
};

export function ExplainDialog({ base, of, onClose, onOpen, onResend }) {
  const [event, setEvent] = useState(of.event);
  const [device, setDevice] = useState(of.device);
  const [asked, setAsked] = useState(of.event ? of : null);
  const path = (what) => withQuery(`${base}:explain`, what);
  const { data, error, isLoading, reload } = useResource(asked && path(asked));
  const typed = bodyOf({ event: event.trim(), device: device.trim() });
  const [kind, word] = VERDICTS[data?.verdict] ?? ["", data?.verdict];
  return (
    <Dialog
      title="Why was it (not) delivered?"
      wide
      onClose={onClose}
      onSubmit={() => (asked && path(asked) === path(typed) ? reload() : setAsked(typed))}
      error={elsewhere(error)}
      foot={
        <>
          <Curl call={["GET", path(typed)]} what="this call" look="first" />
          {data && onResend && (
            <Button icon="send" onClick={() => onResend({ eventId: data.eventId, deviceName: data.deviceName ?? "" })}>
              Resend
            </Button>
          )}
          <Button type="submit" look="primary" icon="question" isBusy={isLoading} disabled={!typed.event}>
            Explain
          </Button>
        </>
      }
    >
      <EventFields {...{ event, setEvent, device, setDevice }} error={error} />
      {isLoading && <Loading lines={3} />}
      {data && (
        <section class="stack" aria-label="Explanation" aria-live="polite">
          <div class="row">
            <Badge kind={kind}>{word}</Badge>
            {!data.isCertain && <span class="dim">as far as is known</span>}
          </div>
          <p class="outside">{data.explanation}</p>
          {data.facts.length > 0 && (
            <ol class="facts">
              {data.facts.map((fact, index) => (
                <li key={index}>
                  <span class="dim">
                    <Time at={fact.time} />
                  </span>
                  <span class="outside">{fact.text}</span>
                </li>
              ))}
            </ol>
          )}
          {data.attempts.length > 0 && (
            <ul class="stack tight" aria-label="Attempts of the event">
              {data.attempts.map((each) => (
                <li key={each.name} class="row">
                  <Outcome attempt={each} />
                  <Button look="link" onClick={() => onOpen(idOf(each.name))}>
                    Attempt {each.attempt}
                  </Button>
                  <span class="dim">
                    <Time at={each.attemptTime} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
    </Dialog>
  );
}

export function PreviewDialog({ base, types, onClose }) {
  const choices = types.length ? types : EVENT_TYPES;
  const [of, setOf] = useState("sample");
  const [eventType, setType] = useState(choices[0]);
  const [event, setEvent] = useState("");
  const [device, setDevice] = useState("");
  const [shown, setShown] = useState(null);
  const path = `${base}:preview`;
  const body = of === "sample" ? { eventType } : bodyOf({ event: event.trim(), device: device.trim() });
  const show = useAction(async () => setShown(await post(path, body, { isRepeatable: true })));
  return (
    <Dialog
      title="What would be sent"
      wide
      onClose={onClose}
      onSubmit={show.run}
      error={elsewhere(show.error)}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button
            type="submit"
            look="primary"
            icon="eye"
            isBusy={show.isBusy}
            disabled={of === "event" && !body.event}
          >
            Preview
          </Button>
        </>
      }
    >
      <p class="dim">The exact headers and bytes, made by the sender's own code. Nothing is sent.</p>
      <div class="row">
        <Segments
          label="Preview of"
          value={of}
          options={[
            ["sample", "A sample"],
            ["event", "An event of history"],
          ]}
          onChange={(value) => {
            setOf(value);
            setShown(null);
          }}
        />
      </div>
      {of === "sample" ? (
        <Field label="Event type">
          {(props) => (
            <select class="input" {...props} value={eventType} onChange={(change) => setType(change.currentTarget.value)}>
              {choices.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
      ) : (
        <EventFields {...{ event, setEvent, device, setDevice }} error={show.error} />
      )}
      {shown?.notes.map((note) => (
        <Note key={note} kind="warn">
          <span class="outside">{note}</span>
        </Note>
      ))}
      {shown && (
        <Message
          title="Request"
          first={`${shown.method} ${shown.url}`}
          isExact
          message={{
            headers: Object.entries(shown.headers).map(([name, value]) => ({ name, value })),
            body: shown.body,
          }}
        />
      )}
    </Dialog>
  );
}
