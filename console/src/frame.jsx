// The frame around every page: navigation, project, person; and what is said of the connection.
import { useEffect, useState } from "preact/hooks";
import { idOf, trouble } from "./api.js";
import { lastProject, rememberProject, useProjects } from "./project.js";
import { forget } from "./resource.js";
import { go, href, usePlace } from "./router.js";
import { routes } from "./routes.js";
import { signOut, useSession } from "./session.js";
import { useStore } from "./store.js";
import { Button } from "./ui/basics.jsx";
import { Icon, Mark } from "./ui/icons.jsx";
import { Menu, Sheet } from "./ui/overlays.jsx";
import { ThemeSwitch } from "./ui/theme_switch.jsx";
import { Toasts } from "./ui/toasts.jsx";

export function Frame({ project, children }) {
  const [isOpen, setOpen] = useState(false);
  const { path } = usePlace();
  const shown = project ?? lastProject();
  useEffect(() => {
    if (project) rememberProject(project);
  }, [project]);
  useEffect(() => setOpen(false), [path]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <div class="frame">
        <header class="side">
          <Side project={shown} />
        </header>
        <header class="top">
          <a class="brand" href={href("/projects")}>
            <Mark />
            <span class="clip">Data Connectors</span>
          </a>
          <Button look="quiet" icon="menu" label="Open the navigation" onClick={() => setOpen(true)} />
        </header>
        <div class="main">
          <Connection />
          {children}
        </div>
      </div>
      {isOpen && (
        <Sheet class="sheet-side" title="Navigation" onClose={() => setOpen(false)}>
          <Side project={shown} />
        </Sheet>
      )}
      <Toasts />
    </>
  );
}

function Side({ project }) {
  const { path } = usePlace();
  const session = useSession();
  function leave() {
    signOut();
    forget();
  }
  return (
    <>
      <a class="brand" href={href("/projects")}>
        <Mark />
        Data Connectors
      </a>
      <ProjectChooser project={project} />
      {project && (
        <nav class="nav" aria-label="Project">
          {routes
            .filter((route) => route.nav)
            .map(({ path: pattern, nav }) => {
              const to = pattern.replace(":project", encodeURIComponent(project));
              const isHere = path === to || path.startsWith(`${to}/`);
              return (
                <a key={to} href={href(to)} aria-current={isHere ? "page" : undefined}>
                  <Icon name={nav.icon} />
                  {nav.text}
                </a>
              );
            })}
        </nav>
      )}
      <div class="side-foot">
        <nav class="nav" aria-label="Help">
          <a href="/v2/docs" target="_blank" rel="noopener">
            <Icon name="book" />
            API reference
          </a>
        </nav>
        <div class="who">
          <span class="small dim clip outside" title={session?.email}>
            {session?.email}
          </span>
          <span class="row nowrap">
            <ThemeSwitch />
            <Button look="quiet slim" icon="out" label="Sign out" onClick={leave} />
          </span>
        </div>
      </div>
    </>
  );
}

function ProjectChooser({ project }) {
  const { data, error } = useProjects();
  const isKnown = data || error; // Before that its id would flash
  const current = data?.find((each) => idOf(each.name) === project);
  return (
    <Menu
      class="project-chooser"
      label="Project"
      icon={null}
      text={
        <>
          <span class="clip outside">{current?.displayName ?? (isKnown ? project || "Choose a project" : "…")}</span>
          <Icon name="chevron" />
        </>
      }
    >
      {(close) => (
        <>
          {data?.map((each) => (
            <button
              key={each.name}
              type="button"
              aria-current={idOf(each.name) === project ? "true" : undefined}
              onClick={() => {
                close();
                go(`/projects/${idOf(each.name)}/connectors`);
              }}
            >
              <span class="clip outside">{each.displayName || idOf(each.name)}</span>
              {idOf(each.name) === project && <Icon name="check" />}
            </button>
          ))}
          <hr />
          <a href={href("/projects")} onClick={close}>
            All projects
          </a>
        </>
      )}
    </Menu>
  );
}

const SAID = {
  offline: "You are offline. What you see may be old; the console goes on when you are back.",
  unreachable: "The stack cannot be reached right now. The console keeps trying.",
};

function Connection() {
  const what = useStore(trouble);
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const change = () => setOnline(navigator.onLine);
    addEventListener("online", change);
    addEventListener("offline", change);
    return () => {
      removeEventListener("online", change);
      removeEventListener("offline", change);
    };
  }, []);
  const text = SAID[isOnline ? what : "offline"];
  return (
    <div role="status">
      {text && (
        <div class="banner">
          <Icon name="alert" />
          <span>{text}</span>
        </div>
      )}
    </div>
  );
}
