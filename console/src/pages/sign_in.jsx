// Signing in: with the key of a service account, or as a person with the stack's issuer.
import { useEffect, useState } from "preact/hooks";
import { go, usePlace } from "../router.js";
import {
  config,
  finishSignIn,
  session,
  signInWithIssuer,
  signInWithKey,
  signOut,
  useSession,
} from "../session.js";
import { useAction } from "../resource.js";
import { useStore } from "../store.js";
import { Button, Field, Note } from "../ui/basics.jsx";
import { Mark } from "../ui/icons.jsx";
import { Dialog } from "../ui/overlays.jsx";
import { ThemeSwitch } from "../ui/theme_switch.jsx";

/** The first page of somebody who is not signed in. */
export function SignIn() {
  useEffect(() => {
    document.title = "Sign in · Data Connectors";
  }, []);
  const settings = useStore(config);
  return (
    <Gate>
      <h1>Sign in</h1>
      {settings?.oidcIssuer && (
        <>
          <IssuerButton look="primary" />
          <div class="or">or with the key of a service account</div>
        </>
      )}
      <KeyForm isPrimary={!settings?.oidcIssuer} />
    </Gate>
  );
}

const Gate = ({ children }) => (
  <div class="gate">
    <main id="main" class="gate-box">
      <div class="brand">
        <Mark />
        Data Connectors
      </div>
      <div class="card stack">{children}</div>
    </main>
    <ThemeSwitch />
  </div>
);

function IssuerButton({ look, isPopup = false }) {
  // A window has to be opened by the click itself; what follows may take a while.
  const signIn = useAction(() =>
    signInWithIssuer(isPopup ? open("about:blank", "_blank", "popup,width=480,height=640") : null),
  );
  const { oidcIssuer, oidcAuthorizationEndpoint } = useStore(config);
  if (!oidcAuthorizationEndpoint) {
    return (
      <Note kind="warn" title="Single sign-on is not available right now">
        <span class="outside">{oidcIssuer}</span> does not say how to sign in. Load the page again in a minute.
      </Note>
    );
  }
  return (
    <>
      <Button look={look} icon="shield" isBusy={signIn.isBusy} onClick={() => signIn.run()}>
        Continue with single sign-on
      </Button>
      {signIn.error && <Note kind="bad">{signIn.error.message}</Note>}
    </>
  );
}

const EMPTY = { email: "", keyId: "", secret: "" };
const MOST_FILE_BYTES = 10_000; // A credentials file has 400

function KeyForm({ email = "", isPrimary = true }) {
  const [values, setValues] = useState({ ...EMPTY, email });
  const [missing, setMissing] = useState({});
  const [fileError, setFileError] = useState("");
  const signIn = useAction(() =>
    signInWithKey({
      email: values.email.trim(),
      keyId: values.keyId.trim(),
      secret: values.secret.trim(),
    }),
  );
  const set = (name) => (event) => {
    setValues({ ...values, [name]: event.currentTarget.value });
    setMissing({ ...missing, [name]: undefined });
  };
  function submit(event) {
    event.preventDefault();
    const found = {
      email: !values.email.trim() && "Enter the service account's email.",
      keyId: !values.keyId.trim() && "Enter the id of the key.",
      secret: !values.secret.trim() && "Enter the secret that was shown with the key.",
    };
    setMissing(found);
    if (!Object.values(found).some(Boolean)) signIn.run();
  }
  async function load(file) {
    setFileError("");
    try {
      if (file.size > MOST_FILE_BYTES) throw new Error();
      const account = JSON.parse(await file.text()).serviceAccount;
      const read = { email: account.email, keyId: account.keyId, secret: account.secret };
      if (!Object.values(read).every((each) => typeof each === "string")) throw new Error();
      setValues(read);
      setMissing({});
    } catch {
      setFileError("This is not a credentials file: it needs serviceAccount with email, keyId and secret.");
    }
  }
  return (
    <form
      class="stack"
      noValidate
      onSubmit={submit}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        if (event.dataTransfer.files[0]) load(event.dataTransfer.files[0]);
      }}
    >
      <Field label="Service account email" error={missing.email}>
        {(its) => (
          <input
            {...its}
            class="input"
            type="email"
            name="email"
            autocomplete="username"
            spellcheck={false}
            value={values.email}
            onInput={set("email")}
          />
        )}
      </Field>
      <Field label="Key id" error={missing.keyId}>
        {(its) => (
          <input
            {...its}
            class="input mono"
            name="key-id"
            autocomplete="off"
            spellcheck={false}
            value={values.keyId}
            onInput={set("keyId")}
          />
        )}
      </Field>
      <Field label="Secret" error={missing.secret}>
        {(its) => (
          <input
            {...its}
            class="input mono"
            type="password"
            name="secret"
            autocomplete="current-password"
            value={values.secret}
            onInput={set("secret")}
          />
        )}
      </Field>
      {signIn.error && (
        <Note kind="bad" title="Not signed in">
          <span class="outside">{signIn.error.message}</span>
        </Note>
      )}
      <Button type="submit" look={isPrimary ? "primary" : ""} isBusy={signIn.isBusy}>
        Sign in
      </Button>
      <div class="hint">
        Or{" "}
        <label class="file-link">
          choose a credentials file
          <input
            class="visually-hidden"
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              if (event.currentTarget.files[0]) load(event.currentTarget.files[0]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        , such as <code>.local/credentials.json</code> of <code>make run</code>. The secret stays in this
        browser: it signs, and is not sent.
      </div>
      {fileError && <Note kind="bad">{fileError}</Note>}
    </form>
  );
}

/** Asks to sign in again above a page, which keeps all that was typed into it. */
export function SignInAgain() {
  const { kind, email } = useSession() ?? {};
  const settings = useStore(config);
  return (
    <Dialog
      title="Your session has ended"
      onClose={null}
      foot={
        <Button look="quiet" onClick={() => signOut()}>
          Sign out instead
        </Button>
      }
    >
      <p class="dim">Sign in again to go on. The page behind this keeps what you typed.</p>
      {kind === "person" && settings?.oidcIssuer ? (
        <IssuerButton look="primary" isPopup />
      ) : (
        <KeyForm email={email} />
      )}
    </Dialog>
  );
}

/** Where the issuer leads back to. */
export function SignedIn() {
  const { query } = usePlace();
  const [state, setState] = useState({});
  useEffect(() => {
    document.title = "Signing in · Data Connectors";
    finishSignIn(query)
      .then(({ path, isPopup }) => {
        if (!isPopup) return go(path, { replace: true });
        setState({ isDone: true });
        return window.close();
      })
      .catch((error) => setState({ error }));
  }, []);
  return (
    <Gate>
      <h1>{state.error ? "Not signed in" : "Signing in"}</h1>
      {state.isDone && <Note kind="good">You are signed in. You can close this window.</Note>}
      {state.error && (
        <>
          <Note kind="bad">
            <span class="outside">{state.error.message}</span>
          </Note>
          <Button look="primary" href="/console/projects">
            {session.get() ? "Go on" : "Try again"}
          </Button>
        </>
      )}
      {!state.isDone && !state.error && <span class="spinner" role="status" aria-label="Signing in" />}
    </Gate>
  );
}
