// Who may do what in a project: members, service accounts with their keys, and the audit log.
import { useState } from "preact/hooks";
import { all, idOf, patch, post, remove, withQuery } from "../api.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { href } from "../router.js";
import {
  Badge,
  Button,
  Code,
  Copy,
  Empty,
  ErrorNote,
  Field,
  Loading,
  Note,
  Page,
  Time,
} from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";
import { Confirm, Dialog, Menu } from "../ui/overlays.jsx";
import { toast } from "../ui/toasts.jsx";
import { AuditEntries } from "./audit_entries.jsx";

const EVERY_MS = 20_000;

const TABS = [
  { id: "members", text: "Members", permission: "membership.read", content: Members },
  { id: "accounts", text: "Service accounts", permission: "serviceaccount.read", content: Accounts },
  { id: "audit", text: "Audit", permission: "audit.read", content: Audit },
];

export function Access({ project, tab = "members" }) {
  const { can, isKnown } = usePermissions(project);
  const tabs = TABS.filter(({ permission }) => can(permission));
  const shown = tabs.find(({ id }) => id === tab) ?? tabs[0];
  return (
    <Page title="Access" about="People and programs of this project, what they may do, and what they did.">
      {!isKnown && <Loading />}
      {isKnown && tabs.length === 0 && (
        <Note kind="warn" title="Not allowed">
          Your role does not show who has access. Ask an administrator of the project for another role.
        </Note>
      )}
      {tabs.length > 0 && (
        <nav class="tabs" aria-label="Access">
          {tabs.map(({ id, text }) => (
            <a
              key={id}
              href={href(`/projects/${project}/access/${id}`)}
              aria-current={id === shown.id ? "page" : undefined}
            >
              {text}
            </a>
          ))}
        </nav>
      )}
      {shown && <shown.content key={shown.id} project={project} can={can} />}
    </Page>
  );
}

const allOf = (key) => (path, options) => all(path, key, options);

const useRoles = () => useResource("/roles", { load: allOf("roles") });

function RoleNames({ held }) {
  const { data: roles } = useRoles();
  return (
    <span class="row">
      {held.map((name) => {
        const role = roles?.find((each) => each.name === name);
        return (
          <Badge key={name} class="plain">
            <span title={role?.description}>{role?.displayName ?? idOf(name)}</span>
          </Badge>
        );
      })}
    </span>
  );
}

/** The roles of a project, to choose one or several of. */
function RoleChoice({ held, onChange, name }) {
  const { data: roles, error, reload } = useRoles();
  const offered = roles?.filter(({ name: each }) => each.startsWith("roles/project."));
  return (
    <fieldset class="stack tight">
      <legend class="label">{name}</legend>
      <ErrorNote error={error} onRetry={reload} />
      {offered?.map((role) => (
        <label key={role.name} class="check">
          <input
            type="checkbox"
            checked={held.includes(role.name)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked
                  ? [...held, role.name]
                  : held.filter((each) => each !== role.name),
              )
            }
          />
          <span>
            <strong>{role.displayName}</strong>
            <span class="hint block">{role.description}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/* --- Members --------------------------------------------------------------------------------- */

function Members({ project, can }) {
  const path = `/projects/${project}/members`;
  const { data, error, isLoading, reload } = useResource(path, { every: EVERY_MS, load: allOf("members") });
  const [open, setOpen] = useState(null); // {what: "add" | "roles" | "remove", member}
  const close = () => setOpen(null);
  return (
    <>
      <div class="row spread">
        <p class="dim">A member is a person or a service account with one or several roles.</p>
        <div class="actions">
          <Curl call={["GET", path]} what="the members" />
          {can("membership.create") && (
            <Button look="primary" icon="plus" onClick={() => setOpen({ what: "add" })}>
              Add a member
            </Button>
          )}
        </div>
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading />}
      {data?.length > 0 && (
        <div class="table-frame">
          <table class="table folds">
            <thead>
              <tr>
                <th>Member</th>
                <th>Kind</th>
                <th>Roles</th>
                <th class="number">Since</th>
                <th class="shrink">
                  <span class="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((member) => (
                <tr key={member.name}>
                  <td>
                    <strong class="outside">{member.displayName || member.email}</strong>
                    {member.displayName && <div class="faint small outside">{member.email}</div>}
                  </td>
                  <td data-name="Kind">
                    <span class="row">
                      {member.accountType === "USER" ? "Person" : "Service account"}
                      {member.status === "PENDING" && <Badge kind="warn">Invited</Badge>}
                    </span>
                  </td>
                  <td data-name="Roles">
                    <RoleNames held={member.roles} />
                  </td>
                  <td class="number" data-name="Since">
                    <Time at={member.createTime} />
                  </td>
                  <td class="shrink row-menu">
                    {(can("membership.update") || can("membership.delete")) && (
                      <Menu look="quiet slim" label={`Actions for ${member.displayName || member.email}`}>
                        {(closeMenu) => (
                          <>
                            {can("membership.update") && (
                              <button
                                type="button"
                                onClick={() => {
                                  closeMenu();
                                  setOpen({ what: "roles", member });
                                }}
                              >
                                Change roles
                              </button>
                            )}
                            {can("membership.delete") && (
                              <button
                                type="button"
                                class="danger"
                                onClick={() => {
                                  closeMenu();
                                  setOpen({ what: "remove", member });
                                }}
                              >
                                Remove from the project
                              </button>
                            )}
                          </>
                        )}
                      </Menu>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open?.what === "add" && <AddMember path={path} onClose={close} onDone={reload} />}
      {open?.what === "roles" && <ChangeRoles member={open.member} onClose={close} onDone={reload} />}
      {open?.what === "remove" && (
        <Confirm
          title="Remove this member?"
          verb="Remove"
          danger
          call={["DELETE", `/${open.member.name}`]}
          onClose={close}
          onConfirm={async () => {
            await remove(`/${open.member.name}`);
            toast("The member is removed.");
            reload();
          }}
        >
          <p>
            <strong class="outside">{open.member.displayName || open.member.email}</strong> may do nothing in this
            project any more, within half a minute.
          </p>
        </Confirm>
      )}
    </>
  );
}

function AddMember({ path, onClose, onDone }) {
  const [email, setEmail] = useState("");
  const [held, setHeld] = useState(["roles/project.user"]);
  const body = { email: email.trim(), roles: held };
  const add = useAction(async () => {
    if (!body.email) throw Object.assign(new Error("Enter an email."), { field: "email" });
    if (held.length === 0) throw new Error("Choose at least one role.");
    await post(path, body);
    toast("The member is added.");
    onDone();
    onClose();
  });
  const isOfEmail = add.error?.field === "email";
  return (
    <Dialog
      title="Add a member"
      onClose={onClose}
      onSubmit={add.run}
      error={isOfEmail ? null : add.error}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={add.isBusy}>
            Add member
          </Button>
        </>
      }
    >
      <Field
        label="Email"
        hint="Of a person, or of a service account of any project."
        error={isOfEmail && (add.error.text ?? add.error.message)}
      >
        {(its) => (
          <input
            {...its}
            class="input"
            type="email"
            autofocus
            autocomplete="off"
            spellcheck={false}
            value={email}
            onInput={(event) => {
              add.clear();
              setEmail(event.currentTarget.value);
            }}
          />
        )}
      </Field>
      <RoleChoice name="Roles" held={held} onChange={setHeld} />
    </Dialog>
  );
}

function ChangeRoles({ member, onClose, onDone }) {
  const [held, setHeld] = useState(member.roles);
  const path = `/${member.name}?update_mask=roles`;
  const change = useAction(async () => {
    if (held.length === 0) throw new Error("Choose at least one role, or remove the member.");
    await patch(path, { roles: held });
    toast("The roles are changed.");
    onDone();
    onClose();
  });
  return (
    <Dialog
      title={`Roles of ${member.displayName || member.email}`}
      onClose={onClose}
      onSubmit={change.run}
      error={change.error}
      foot={
        <>
          <Curl call={["PATCH", path, { roles: held }]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={change.isBusy}>
            Save roles
          </Button>
        </>
      }
    >
      <RoleChoice name="Roles" held={held} onChange={setHeld} />
    </Dialog>
  );
}

/* --- Service accounts ------------------------------------------------------------------------ */

function Accounts({ project, can }) {
  const path = `/projects/${project}/serviceaccounts`;
  const { data, error, isLoading, reload } = useResource(path, {
    every: EVERY_MS,
    load: allOf("serviceAccounts"),
  });
  const [open, setOpen] = useState(null); // {what: "add" | "edit" | "delete", account}
  const close = () => setOpen(null);
  const add = can("serviceaccount.create") && (
    <Button look="primary" icon="plus" onClick={() => setOpen({ what: "add" })}>
      New service account
    </Button>
  );
  return (
    <>
      <div class="row spread">
        <p class="dim">Programs sign in with a key of a service account. Its roles are those of its membership.</p>
        <div class="actions">
          <Curl call={["GET", path]} what="the service accounts" />
          {data?.length > 0 && add}
        </div>
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading />}
      {data?.length === 0 && (
        <div class="card">
          <Empty icon="key" title="No service accounts" action={add}>
            A program needs one to publish events or to change connectors.
          </Empty>
        </div>
      )}
      {data?.map((account) => (
        <Account key={account.name} account={account} can={can} onOpen={(what) => setOpen({ what, account })} />
      ))}
      {open?.what === "add" && <NewAccount project={project} can={can} onClose={close} onDone={reload} />}
      {open?.what === "edit" && <EditAccount account={open.account} onClose={close} onDone={reload} />}
      {open?.what === "delete" && (
        <Confirm
          title="Delete this service account?"
          verb="Delete"
          danger
          call={["DELETE", `/${open.account.name}`]}
          typed={open.account.displayName || open.account.email}
          onClose={close}
          onConfirm={async () => {
            await remove(`/${open.account.name}`);
            toast("The service account is deleted.");
            reload();
          }}
        >
          <p>Its keys stop working, and it leaves all projects that it is a member of. This cannot be undone.</p>
        </Confirm>
      )}
    </>
  );
}

function Account({ account, can, onOpen }) {
  const [isShown, setShown] = useState(false);
  return (
    <section class="card" aria-label={account.displayName || account.email}>
      <div class="card-head account-head">
        <div class="break">
          <h2 class="outside">{account.displayName || "Service account without a name"}</h2>
          <p class="row nowrap">
            <span class="outside">{account.email}</span>
            <Copy text={account.email} label="Copy the email" />
          </p>
        </div>
        <div class="row">
          {account.enableBasicAuth && <Badge class="plain">Basic authentication</Badge>}
          {can("serviceaccount.key.read") && (
            <Button look="slim" icon="key" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
              Keys
            </Button>
          )}
          {(can("serviceaccount.update") || can("serviceaccount.delete")) && (
            <Menu look="quiet slim" label={`Actions for ${account.displayName || account.email}`}>
              {(close) => (
                <>
                  {can("serviceaccount.update") && (
                    <button
                      type="button"
                      onClick={() => {
                        close();
                        onOpen("edit");
                      }}
                    >
                      Edit
                    </button>
                  )}
                  {can("serviceaccount.delete") && (
                    <button
                      type="button"
                      class="danger"
                      onClick={() => {
                        close();
                        onOpen("delete");
                      }}
                    >
                      Delete
                    </button>
                  )}
                </>
              )}
            </Menu>
          )}
        </div>
      </div>
      {isShown && <Keys account={account} can={can} />}
    </section>
  );
}

function Keys({ account, can }) {
  const path = `/${account.name}/keys`;
  const { data, error, isLoading, reload } = useResource(path, { load: allOf("keys") });
  const [made, setMade] = useState(null);
  const [revoked, setRevoked] = useState(null);
  const create = useAction(async () => {
    setMade(await post(path));
    reload();
  });
  return (
    <div class="card-body stack">
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={2} />}
      {data?.length === 0 && <p class="dim">It has no key, so nobody can sign in with it.</p>}
      {data?.length > 0 && (
        <ul class="key-list">
          {data.map((key) => (
            <li key={key.id}>
              <code class="break">{key.id}</code>
              <span class="dim small">
                made <Time at={key.createTime} />
              </span>
              {can("serviceaccount.key.delete") && (
                <Button look="quiet slim danger" onClick={() => setRevoked(key)}>
                  Revoke
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <ErrorNote error={create.error} />
      {can("serviceaccount.key.create") && (
        <div class="row">
          <Button look="slim" icon="plus" isBusy={create.isBusy} onClick={create.run}>
            New key
          </Button>
          <Curl call={["POST", path]} what="make a key" />
        </div>
      )}
      {made && <MadeKey account={account} made={made} onClose={() => setMade(null)} />}
      {revoked && (
        <Confirm
          title="Revoke this key?"
          verb="Revoke"
          danger
          call={["DELETE", `/${revoked.name}`]}
          onClose={() => setRevoked(null)}
          onConfirm={async () => {
            await remove(`/${revoked.name}`);
            toast("The key is revoked.");
            reload();
          }}
        >
          <p>
            Programs that use <code>{revoked.id}</code> are refused within half a minute. This cannot be undone.
          </p>
        </Confirm>
      )}
    </div>
  );
}

/** The only time that a secret is shown: a click beside the dialog must not lose it. */
function MadeKey({ account, made, onClose }) {
  const file = {
    serviceAccount: {
      email: account.email,
      keyId: made.key.id,
      secret: made.secret,
      tokenEndpoint: `${location.origin}/v2/oauth2/token`,
    },
  };
  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: "application/json" }));
    link.download = `${made.key.id}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  return (
    <Dialog
      title="The new key"
      onClose={null}
      foot={
        <>
          <Button icon="download" onClick={download}>
            Credentials file
          </Button>
          <Button look="primary" onClick={onClose}>
            I have stored it
          </Button>
        </>
      }
    >
      <Note kind="warn" title="The secret is shown this once">
        Store it now. Nobody can read it again; a lost one is replaced by a new key.
      </Note>
      <div class="field">
        <span class="label">Key id</span>
        <Code text={made.key.id} label="Key id" wraps />
      </div>
      <div class="field">
        <span class="label">Secret</span>
        <Code text={made.secret} label="Secret" wraps />
      </div>
    </Dialog>
  );
}

function AccountFields({ values, setValues, error }) {
  const isOfName = error?.field === "displayName";
  return (
    <>
      <Field label="Display name" error={isOfName && error.text}>
        {(its) => (
          <input
            {...its}
            class="input"
            autofocus
            autocomplete="off"
            value={values.displayName}
            onInput={(event) => setValues({ ...values, displayName: event.currentTarget.value })}
          />
        )}
      </Field>
      <label class="check">
        <input
          type="checkbox"
          checked={values.enableBasicAuth}
          onChange={(event) => setValues({ ...values, enableBasicAuth: event.currentTarget.checked })}
        />
        <span>
          <strong>Basic authentication</strong>
          <span class="hint block">
            Its keys may be sent as user name and password, as <code>curl -u</code> does. Otherwise they only sign.
          </span>
        </span>
      </label>
    </>
  );
}

const withoutField = (error) => (error?.field === "displayName" ? null : error);

function NewAccount({ project, can, onClose, onDone }) {
  const [values, setValues] = useState({ displayName: "", enableBasicAuth: false });
  const [held, setHeld] = useState(["roles/project.developer"]);
  const [account, setAccount] = useState(null); // It stays made when its membership fails
  const path = `/projects/${project}/serviceaccounts`;
  const body = { ...values, displayName: values.displayName.trim() };
  const create = useAction(async () => {
    const made = account ?? (await post(path, body));
    setAccount(made);
    onDone();
    if (can("membership.create") && held.length > 0) {
      await post(`/projects/${project}/members`, { email: made.email, roles: held });
    }
    toast("The service account is made. It needs a key.");
    onClose();
  });
  return (
    <Dialog
      title="New service account"
      onClose={onClose}
      onSubmit={create.run}
      error={withoutField(create.error)}
      foot={
        <>
          <Curl call={["POST", path, body]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={create.isBusy}>
            {account ? "Add it to the project" : "Create service account"}
          </Button>
        </>
      }
    >
      <AccountFields values={values} setValues={setValues} error={create.error} />
      {can("membership.create") && <RoleChoice name="Roles in this project" held={held} onChange={setHeld} />}
    </Dialog>
  );
}

function EditAccount({ account, onClose, onDone }) {
  const { displayName, enableBasicAuth } = account;
  const [values, setValues] = useState({ displayName, enableBasicAuth });
  // Only what was changed here, so that a change made elsewhere meanwhile stays.
  const changed = Object.keys(values).filter((name) => values[name] !== { displayName, enableBasicAuth }[name]);
  const path = withQuery(`/${account.name}`, { update_mask: changed.join(",") });
  const save = useAction(async () => {
    if (changed.length > 0) await patch(path, values);
    toast("The service account is saved.");
    onDone();
    onClose();
  });
  return (
    <Dialog
      title="Edit the service account"
      onClose={onClose}
      onSubmit={save.run}
      error={withoutField(save.error)}
      foot={
        <>
          <Curl call={["PATCH", path, values]} what="this call" look="first" />
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={save.isBusy}>
            Save
          </Button>
        </>
      }
    >
      <AccountFields values={values} setValues={setValues} error={save.error} />
    </Dialog>
  );
}

function Audit({ project }) {
  return <AuditEntries project={project} title="Audit log" />;
}
