// The choice of a project. With one project there is nothing to choose.
import { useEffect } from "preact/hooks";
import { idOf } from "../api.js";
import { useProjects } from "../project.js";
import { go, href } from "../router.js";
import { counted } from "../time.js";
import { Empty, ErrorNote, Loading, Page } from "../ui/basics.jsx";

let isFirst = true; // Later, somebody has come here by a link, and wants to see them all

export function Projects() {
  const { data, error, isLoading, reload } = useProjects();
  const only = data?.length === 1 ? idOf(data[0].name) : "";
  useEffect(() => {
    if (!data) return;
    if (only && isFirst) go(`/projects/${only}/connectors`, { replace: true });
    isFirst = false;
  }, [data, only]);
  return (
    <Page title="Projects" about="A project has devices, and connectors that deliver their events.">
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading />}
      {data?.length === 0 && (
        <div class="card">
          <Empty icon="people" title="You are a member of no project">
            Ask an administrator to add you. A deployer makes a project and its first administrator with{" "}
            <code>make admin</code>.
          </Empty>
        </div>
      )}
      {data?.length > 0 && (
        <ul class="project-list">
          {data.map((project) => (
            <li key={project.name}>
              <a class="card project" href={href(`/projects/${idOf(project.name)}/connectors`)}>
                <strong class="outside">{project.displayName || "Project without a name"}</strong>
                <span class="dim small">
                  {counted(project.sensorCount + project.cloudConnectorCount, "device")} ·{" "}
                  <span class="outside">{project.organizationDisplayName}</span>
                </span>
                <code class="faint">{idOf(project.name)}</code>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
