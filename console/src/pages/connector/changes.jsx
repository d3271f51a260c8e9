// The audit of one connector: who changed what, of the project's audit log.
import { useState } from "preact/hooks";
import { get, withQuery } from "../../api.js";
import { useAction, useResource } from "../../resource.js";
import { Button, Empty, ErrorNote, Loading, Time } from "../../ui/basics.jsx";
import { Curl } from "../../ui/curl.jsx";

const PAGE = 100; // The log is the project's: most entries may be of others
const EVERY_MS = 30_000;

const VERBS = { create: "Created", update: "Changed", delete: "Deleted" };

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

export function Changes({ project, name }) {
  const path = withQuery(`/projects/${project}/audit`, { pageSize: PAGE });
  const { data, error, isLoading, reload } = useResource(path, { every: EVERY_MS });
  const [older, setOlder] = useState({ entries: [], token: null });
  const token = older.token ?? data?.nextPageToken;
  const more = useAction(async () => {
    const page = await get(withQuery(path, { pageToken: token }));
    setOlder({ entries: [...older.entries, ...page.entries], token: page.nextPageToken });
  });
  const newest = new Set(data?.entries.map(({ id }) => id));
  const all = data && [...data.entries, ...older.entries.filter(({ id }) => !newest.has(id))];
  const entries = all?.filter(({ resource }) => resource === name || resource.startsWith(`${name}/`));
  return (
    <section class="stack" aria-label="Changes">
      <div class="bar">
        <h2 class="grow">Changes</h2>
        <Curl call={["GET", path]} what="the changes" />
      </div>
      <ErrorNote error={error} onRetry={reload} />
      {isLoading && <Loading lines={5} />}
      {entries?.length === 0 && (
        <div class="card">
          <Empty icon="clock" title={token ? "No change of it among the latest" : "No changes"}>
            Who changed this connector, what and when, of the project's audit log.
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
                <th class="shrink">From</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td class="shrink">
                    <Time at={entry.time} />
                  </td>
                  <td data-name="Who">
                    <span class="outside">{entry.actor}</span>
                  </td>
                  <td data-name="What">
                    <span>
                      {VERBS[entry.action.slice(entry.action.lastIndexOf(".") + 1)] ?? entry.action}
                      {entry.fields.length > 0 && <span class="outside">: {entry.fields.join(", ")}</span>}
                      {Object.entries(entry.details ?? {}).map(([key, value]) => (
                        <div key={key} class="faint small outside">
                          {key}: {shown(value)}
                        </div>
                      ))}
                    </span>
                  </td>
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
            Look at older changes
          </Button>
        </div>
      )}
    </section>
  );
}
