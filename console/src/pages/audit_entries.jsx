// The audit log of a project, or what it says of one resource: who did what, to which, and from where.
import { useState } from "preact/hooks";
import { all, get, withQuery } from "../api.js";
import { actionText, detailText, shortName } from "../audit.js";
import { usePermissions } from "../project.js";
import { useAction, useResource } from "../resource.js";
import { Button, Empty, ErrorNote, Loading, Time } from "../ui/basics.jsx";
import { Curl } from "../ui/curl.jsx";

const EVERY_MS = 20_000;
const PAGE = 100; // Most entries may be of other resources

/** `name` is a resource, such as a connector; without it the log of the whole project is shown. */
export function AuditEntries({ project, name, title }) {
  const { can } = usePermissions(project);
  const accounts = useResource(can("serviceaccount.read") ? `/projects/${project}/serviceaccounts` : null, {
    load: (path, options) => all(path, "serviceAccounts", options),
  });
  const names = new Map(accounts.data?.map(({ email, displayName }) => [email, displayName || email]));
  const path = withQuery(`/projects/${project}/audit`, { pageSize: PAGE });
  const { data, error, isLoading, reload } = useResource(path, { every: EVERY_MS });
  const [older, setOlder] = useState({ entries: [], token: null });
  const token = older.token ?? data?.nextPageToken;
  const more = useAction(async () => {
    const page = await get(withQuery(path, { pageToken: token }));
    setOlder({ entries: [...older.entries, ...page.entries], token: page.nextPageToken });
  });
  const newest = new Set(data?.entries.map(({ id }) => id));
  const known = data && [...data.entries, ...older.entries.filter(({ id }) => !newest.has(id))];
  const entries = known?.filter(({ resource }) => !name || resource === name || resource.startsWith(`${name}/`));
  return (
    <section class="stack" aria-label={title}>
      <div class="bar">
        <h2 class="rest">{title}</h2>
        <Curl call={["GET", path]} what="the audit log" />
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={6} />}
      {entries?.length === 0 && (
        <div class="card">
          <Empty icon="clock" title={token ? "No change of it among the latest" : "No changes yet"}>
            {name
              ? "Who changed this connector, what and when, of the project's audit log."
              : "Changes of connectors, members, accounts and keys appear here."}
          </Empty>
        </div>
      )}
      {entries?.length > 0 && (
        <div class="table-frame">
          <table class="table folds">
            <thead>
              <tr>
                <th class="shrink">Time</th>
                <th>Who</th>
                <th>What</th>
                {!name && <th>Of</th>}
                <th class="shrink">From</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td class="shrink" data-name="Time">
                    <Time at={entry.time} />
                  </td>
                  <td class="actor" data-name="Who">
                    <span class="outside" title={entry.actor}>
                      {names.get(entry.actor) ?? entry.actor}
                    </span>
                  </td>
                  <td class="audit-what">
                    {actionText(entry)}
                    {entry.fields.length > 0 && <span class="outside">: {entry.fields.join(", ")}</span>}
                    <div class="faint small outside">{detailText(entry)}</div>
                  </td>
                  {!name && (
                    <td data-name="Of">
                      <code class="small outside">
                        {shortName(entry.resource)
                          .split("/")
                          .flatMap((part, index) => (index ? ["/", <wbr />, part] : part))}
                      </code>
                    </td>
                  )}
                  <td class="shrink" data-name="From">
                    <span class="faint outside">{entry.address || "–"}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ErrorNote error={more.error} />
      {token && (
        <div class="row">
          <Button isBusy={more.isBusy} onClick={more.run}>
            Show older changes
          </Button>
        </div>
      )}
    </section>
  );
}
