// Making a connector, and changing one. What somebody typed stays until it is saved or given up.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, patch, post, remove, withQuery } from "../api.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { go, guardLeaving, href } from "../router.js";
import { differing, EMPTY, errorOf, FIELDS, bodyOf, merge, settingsOf, withoutSecrets } from "../settings.js";
import { Button, Card, ErrorNote, Field, Loading, Note, Page } from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";
import { Confirm } from "../ui/overlays.jsx";
import { toast } from "../ui/toasts.jsx";
import { Events } from "./form/events.jsx";
import { Headers } from "./form/headers.jsx";
import { Labels } from "./form/labels.jsx";
import { Secret } from "./form/secret.jsx";
import { TryOut } from "./form/try_out.jsx";

const ELSEWHERE_MS = 15_000; // How soon a change made elsewhere is seen while somebody types
const LONGEST_NAME = 256; // As the API has it

export function NewConnector({ project }) {
  const { can, isKnown } = usePermissions(project);
  const list = `/projects/${project}/connectors`;
  const crumbs = <a href={href(list)}>Connectors</a>;
  // A second call with the same key and settings is the first one again, so a lost answer makes no second connector.
  const sent = useRef({ text: "", key: "" });
  async function create(settings) {
    const body = bodyOf(settings);
    const text = JSON.stringify(body);
    if (sent.current.text !== text) sent.current = { text, key: crypto.randomUUID() };
    const made = await post(`/projects/${project}/dataconnectors`, body, {
      headers: { "idempotency-key": sent.current.key },
    });
    return made;
  }
  return (
    <Page title="New connector" crumbs={crumbs} narrow about="It pushes events of this project to an HTTPS endpoint.">
      {isKnown && !can("dataconnector.create") ? (
        <Note kind="warn" title="Not allowed">
          Your role may not make connectors. Ask an administrator of the project.
        </Note>
      ) : (
        <Form
          project={project}
          base={EMPTY}
          verb="Create connector"
          back={list}
          callOf={(settings) => ["POST", `/projects/${project}/dataconnectors`, bodyOf(withoutSecrets(settings))]}
          onSave={async (settings) => {
            const { name } = await create(settings);
            toast("Connector created");
            return `${list}/${name.slice(name.lastIndexOf("/") + 1)}`;
          }}
        />
      )}
    </Page>
  );
}

export function EditConnector({ project, connector }) {
  const { can, isKnown } = usePermissions(project);
  const path = `/projects/${project}/dataconnectors/${connector}`;
  const back = `/projects/${project}/connectors/${connector}`;
  const mayChange = can("dataconnector.update");
  const [openedAt] = useState(Date.now);
  const { data: read, error, reload } = useResource(mayChange ? path : null, {
    every: ELSEWHERE_MS,
    load: async (...of) => ({ ...(await get(...of)), readAt: Date.now() }),
  });
  const [isDeleting, setDeleting] = useState(false);
  // An answer of an earlier visit is old: the form would take the new one for a change made elsewhere.
  const data = read?.readAt >= openedAt ? read : undefined;
  const [first, setFirst] = useState(undefined);
  if (data && !first) setFirst(data);
  const name = data ? data.displayName || connector : "Connector";
  return (
    <Page
      title={`Edit ${name}`}
      narrow
      crumbs={
        <>
          <a href={href(`/projects/${project}/connectors`)}>Connectors</a> / <a href={href(back)} class="outside">{name}</a>
        </>
      }
    >
      {isKnown && !mayChange && (
        <Note kind="warn" title="Not allowed">
          Your role may not change connectors. Ask an administrator of the project.
        </Note>
      )}
      <ErrorNote error={error} onRetry={reload} />
      {mayChange && !first && !error && <Loading lines={8} />}
      {first && (
        <Form
          key={path}
          project={project}
          base={settingsOf(first)}
          latest={data && settingsOf(data)}
          previousUntil={data?.httpConfig.previousSecretExpireTime}
          verb="Save"
          back={back}
          load={async () => settingsOf(await get(path))}
          onEndPrevious={async () => {
            await patch(path, { httpConfig: { previousSecretTtl: "0s" } });
            reload();
          }}
          callOf={(settings, names, rotation) =>
            names.length > 0 ? change(path, withoutSecrets(settings), names, rotation) : ["GET", path]
          }
          onSave={async (settings, names, rotation) => {
            const [, to, body] = change(path, settings, names, rotation);
            await patch(to, body);
            toast("Saved");
            return back;
          }}
        />
      )}
      {first && can("dataconnector.delete") && (
        <Card title="Delete">
          <div class="row spread">
            <p class="dim">The connector and the events in its queue are deleted at once, and cannot be brought back.</p>
            <Button look="danger" icon="trash" onClick={() => setDeleting(true)}>
              Delete connector
            </Button>
          </div>
        </Card>
      )}
      {isDeleting && (
        <Confirm
          title="Delete the connector?"
          verb="Delete"
          danger
          call={["DELETE", path]}
          typed={name}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await remove(path);
            guardLeaving(null);
            toast("Connector deleted");
            await go(`/projects/${project}/connectors`, { replace: true });
          }}
        >
          <p>Events that wait in its queue are dropped. History and audit log stay.</p>
        </Confirm>
      )}
    </Page>
  );
}

/**
 * The call that changes these fields of a connector. `rotation`: how long a replaced secret goes on signing; the
 * API takes it only where one is replaced.
 */
function change(path, settings, names, rotation) {
  const body = bodyOf(settings, names);
  if (rotation) body.httpConfig.previousSecretTtl = rotation;
  return ["PATCH", withQuery(path, { update_mask: names.join(",") }), body];
}

/** What is wrong before the API is asked: {field: text}. */
function problemsOf(settings, choosesEvents) {
  const found = {};
  if (!settings["httpConfig.url"].trim()) found["httpConfig.url"] = "Enter the address to push to, such as https://example.com/events.";
  if (choosesEvents && settings.events.length === 0) found.events = "Choose at least one type, or forward all events.";
  return found;
}

function Form({ project, base: first, latest, previousUntil, verb, back, load, callOf, onSave, onEndPrevious }) {
  const [base, setBase] = useState(first);
  const [values, setValues] = useState({ ...first, rows: rowsOf(first["httpConfig.headers"]) });
  const [choosesEvents, setChoosesEvents] = useState(first.events.length > 0);
  const [rotation, setRotation] = useState("86400s");
  const [elsewhere, setElsewhere] = useState(null);
  const [errors, setErrors] = useState({});
  const [leaving, setLeaving] = useState(null);
  const form = useRef(null);

  const settings = {
    ...values,
    "httpConfig.url": values["httpConfig.url"].trim(),
    "httpConfig.headers": Object.fromEntries(
      values.rows.filter(({ name, value }) => name || value).map(({ name, value }) => [name.trim(), value.trim()]),
    ),
    events: choosesEvents ? values.events : [],
    displayName: values.displayName.trim(),
  };
  delete settings.rows;
  const names = differing(base, settings);
  const isDirty = names.length > 0;
  const secret = "httpConfig.signatureSecret";
  const isReplaced = base[secret] && settings[secret] && base[secret] !== settings[secret];
  const keptFor = isReplaced ? rotation : "";

  const set = (name) => (value) => {
    setValues((before) => ({ ...before, [name]: value }));
    setErrors((before) => ({ ...before, [name === "rows" ? "httpConfig.headers" : name]: undefined }));
  };

  /** Take over what was changed elsewhere; whether there was anything. */
  function absorb(theirs) {
    const { merged, taken, conflicts } = merge(base, settings, theirs);
    setBase(theirs);
    if (taken.length + conflicts.length === 0) return false;
    take(merged, taken);
    setElsewhere((before) => ({
      theirs,
      taken: [...new Set([...(before?.taken ?? []), ...taken])],
      conflicts: [...new Set([...(before?.conflicts ?? []), ...conflicts])],
    }));
    return true;
  }
  function take(from, fields) {
    setValues((before) => {
      const after = { ...before };
      for (const name of fields) after[name] = from[name];
      if (fields.includes("httpConfig.headers")) after.rows = rowsOf(from["httpConfig.headers"]);
      return after;
    });
    if (fields.includes("events")) setChoosesEvents(from.events.length > 0);
  }
  const isSaving = useRef(false);
  useEffect(() => {
    if (latest && !isSaving.current && differing(base, latest).length > 0) absorb(latest);
  }, [latest && JSON.stringify(latest)]);

  // Leaving asks while something is not saved: by a link, by the browser's buttons, by closing the tab.
  const dirty = useRef(false);
  dirty.current = isDirty;
  useEffect(() => {
    const end = guardLeaving(() => {
      if (!dirty.current) return true;
      return new Promise((resolve) => setLeaving(() => resolve));
    });
    const warn = (event) => {
      if (dirty.current) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => {
      end();
      removeEventListener("beforeunload", warn);
    };
  }, []);

  const save = useAction(async () => {
    const found = problemsOf(settings, choosesEvents);
    setErrors(found);
    if (Object.keys(found).length > 0) return focusError();
    isSaving.current = true;
    try {
      if (load && absorb(await load())) return undefined; // Shown first; the next click saves
      const to = names.length > 0 || !load ? await onSave(settings, names, keptFor) : back;
      dirty.current = false;
      await go(to, { replace: !load });
    } catch (error) {
      const { field, text } = errorOf(error);
      if (!field) throw error;
      setErrors({ [field]: text });
      focusError();
    } finally {
      isSaving.current = false;
    }
    return undefined;
  });

  /** The first field with an error, once it is drawn. */
  function focusError() {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const wrong = form.current?.querySelector("[aria-invalid=true], .field-error");
        const target = wrong?.matches("input, textarea") ? wrong : wrong?.closest(".field, fieldset")?.querySelector("input, button");
        target?.focus();
        wrong?.scrollIntoView({ block: "center" });
      }),
    );
  }

  const isSystemDisabled = values.status === "SYSTEM_DISABLED";
  const isEnabled = values.status === "ACTIVE";
  return (
    <>
    <form
      ref={form}
      class="stack form"
      noValidate
      aria-label="Settings"
      onSubmit={(event) => {
        event.preventDefault();
        save.run();
      }}
    >
      {elsewhere && (
        <Elsewhere
          {...elsewhere}
          onTake={(name) => {
            take(elsewhere.theirs, [name]);
            setElsewhere({ ...elsewhere, conflicts: elsewhere.conflicts.filter((each) => each !== name), taken: [...elsewhere.taken, name] });
          }}
          onClose={() => setElsewhere(null)}
        />
      )}
      <Card title="Endpoint">
        <div class="stack">
          <Field label="Display name" optional error={errors.displayName}>
            {(props) => (
              <input
                class="input"
                {...props}
                maxLength={LONGEST_NAME}
                value={values.displayName}
                onInput={(event) => set("displayName")(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field
            label="Endpoint URL"
            error={errors["httpConfig.url"]}
            hint="Each event is POSTed there as JSON. Answering 200 acknowledges it; anything else, and it comes again for 12 hours."
          >
            {(props) => (
              <input
                class="input mono"
                {...props}
                type="url"
                inputMode="url"
                autocomplete="off"
                spellcheck={false}
                placeholder="https://example.com/events"
                value={values["httpConfig.url"]}
                onInput={(event) => set("httpConfig.url")(event.currentTarget.value)}
                onBlur={(event) => set("httpConfig.url")(event.currentTarget.value.trim())}
              />
            )}
          </Field>
          <TryOut project={project} url={settings["httpConfig.url"]} onUse={set("httpConfig.url")} />
          <div class="field">
            <label class="check">
              <input
                type="checkbox"
                class="switch"
                role="switch"
                checked={isEnabled}
                onChange={(event) => set("status")(event.currentTarget.checked ? "ACTIVE" : "USER_DISABLED")}
                aria-describedby="what-disabling-means"
              />
              <span>
                <strong>{isEnabled ? "Enabled" : "Disabled"}</strong>
              </span>
            </label>
            <p class="hint" id="what-disabling-means">
              {isSystemDisabled && "The service has disabled it: the audit log says why. "}
              While it is disabled, no event is pushed. Events that wait in its queue are dropped, and those that happen meanwhile
              are never pushed, not even after it is enabled again. To hold events instead, pause the connector.
            </p>
          </div>
        </div>
      </Card>
      <Card title="Events">
        <Events
          chooses={choosesEvents}
          onChooses={(value) => {
            setChoosesEvents(value);
            setErrors({ ...errors, events: undefined });
          }}
          value={values.events}
          onChange={set("events")}
          error={errors.events}
        />
      </Card>
      <Card title="Labels to include" about="The labels of an event's device that are sent along with it">
        <Labels project={project} value={values.labels} onChange={set("labels")} error={errors.labels} />
      </Card>
      <Card title="Custom headers" about="Sent with each event, for a token of your endpoint for example; stored encrypted">
        <Headers rows={values.rows} onChange={set("rows")} error={errors["httpConfig.headers"]} />
      </Card>
      <Card title="Signature" about="A secret that only you and this connector know proves that an event comes from it">
        <Secret
          value={values["httpConfig.signatureSecret"]}
          saved={base["httpConfig.signatureSecret"]}
          onChange={set("httpConfig.signatureSecret")}
          error={errors["httpConfig.signatureSecret"]}
          rotation={rotation}
          onRotation={setRotation}
          previousUntil={previousUntil}
          onEndPrevious={onEndPrevious}
          standard={values["httpConfig.standardWebhooks"]}
          onStandard={set("httpConfig.standardWebhooks")}
          standardError={errors["httpConfig.standardWebhooks"]}
          url={settings["httpConfig.url"]}
        />
      </Card>
      <ErrorNote error={save.error} title="It is not saved" />
      <div class="form-foot">
        <span class="dim small" role="status">
          {isDirty ? "Not saved yet" : ""}
        </span>
        <Curl call={callOf(settings, names, keptFor)} what="this call" look="" />
        <Button href={href(back)}>Cancel</Button>
        <Button type="submit" look="primary" isBusy={save.isBusy}>
          {verb}
        </Button>
      </div>
    </form>
      {leaving && (
        <Confirm
          title="Leave without saving?"
          verb="Leave"
          danger
          onClose={() => {
            leaving(false);
            setLeaving(null);
          }}
          onConfirm={async () => leaving(true)}
        >
          <p>What you changed here is not saved.</p>
        </Confirm>
      )}
    </>
  );
}

let lastRow = 0;
/** Headers as rows of the form, each with an identity that stays while its name is typed. */
const rowsOf = (headers) => Object.entries(headers).map(([name, value]) => ({ id: (lastRow += 1), name, value }));

const SECRET_FIELDS = ["httpConfig.headers", "httpConfig.signatureSecret"];

function Elsewhere({ theirs, taken, conflicts, onTake, onClose }) {
  return (
    <Note
      kind="warn"
      title="Changed elsewhere meanwhile"
      action={
        <Button look="slim" onClick={onClose}>
          Understood
        </Button>
      }
    >
      {taken.length > 0 && (
        <p>
          {taken.map((name) => FIELDS[name]).join(", ")}: somebody else changed this, and the form now shows it. Nothing of yours is
          lost.
        </p>
      )}
      {conflicts.length > 0 && (
        <>
          <p>You changed this, too. Yours is kept, and replaces theirs when you save:</p>
          <ul>
            {conflicts.map((name) => (
              <li key={name}>
                <strong>{FIELDS[name]}</strong>
                {!SECRET_FIELDS.includes(name) && (
                  <>
                    , theirs: <span class="outside mono">{shown(theirs[name])}</span>
                  </>
                )}{" "}
                <Button look="link" onClick={() => onTake(name)}>
                  Use theirs
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Note>
  );
}

const WORDS = { ACTIVE: "enabled", USER_DISABLED: "disabled", SYSTEM_DISABLED: "disabled by the service" };

function shown(value) {
  if (Array.isArray(value)) return value.join(", ") || "all";
  if (typeof value === "boolean") return value ? "on" : "off";
  return WORDS[value] ?? (value || "empty");
}
