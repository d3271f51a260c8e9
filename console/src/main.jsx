// Where the console begins: restores the session, and draws the page that the address names.
import { render } from "preact";
import "./style.css";
import { Frame } from "./frame.jsx";
import { href, match, usePlace } from "./router.js";
import { routes } from "./routes.js";
import { expired, isReturn, restore, useSession } from "./session.js";
import { useStore } from "./store.js";
import { SignedIn, SignIn, SignInAgain } from "./pages/sign_in.jsx";
import { Button, Empty, Page } from "./ui/basics.jsx";

function Console() {
  const { path, query } = usePlace();
  const session = useSession();
  const isExpired = useStore(expired);
  const found = match(routes, path);
  if (isReturn(query)) return <SignedIn />;
  if (!session) return <SignIn />;
  const { project } = found?.parameters ?? {};
  return (
    <>
      {/* Another person or project must not see the state of the one before. */}
      <Frame key={session.email} project={project}>
        {found ? (
          <found.route.page key={JSON.stringify({ ...found.parameters, tab: "" })} {...found.parameters} />
        ) : (
          <NotFound />
        )}
      </Frame>
      {isExpired && <SignInAgain />}
    </>
  );
}

const NotFound = () => (
  <Page title="There is no such page">
    <div class="card">
      <Empty
        icon="question"
        title="The address leads nowhere"
        action={<Button href={href("/projects")}>Go to the projects</Button>}
      >
        It may be mistyped, or of another version of the console.
      </Empty>
    </div>
  </Page>
);

restore().then(() => render(<Console />, document.getElementById("app")));
