// An endpoint of the stack itself, for those who have none yet.
import { post } from "../../api.js";
import { usePermissions } from "../../project.js";
import { useAction } from "../../resource.js";
import { config } from "../../session.js";
import { useStore } from "../../store.js";
import { Button, ErrorNote, Note } from "../../ui/basics.jsx";

export function TryOut({ project, url, onUse }) {
  const settings = useStore(config);
  const { can } = usePermissions(project);
  const make = useAction(async () => {
    const made = await post(`/projects/${project}/tryouts`, {});
    onUse(made.url);
  });
  if (!settings?.tryOut || !can("dataconnector.update")) return null;
  const isUsed = url.startsWith(`${location.origin}/try/`) || /^https:\/\/[^/]+\/try\/[^/]+\.[^/]+$/.test(url);
  if (isUsed) {
    return (
      <Note title="A try-out endpoint of this stack">
        It answers 200, verifies the signature and keeps the last 50 events for an hour. It lives for 7 days.
      </Note>
    );
  }
  if (url) return null;
  return (
    <div class="stack tight">
      <p class="hint">
        No endpoint yet?{" "}
        <Button look="link" isBusy={make.isBusy} onClick={() => make.run()}>
          Use a try-out endpoint
        </Button>{" "}
        of this stack, which accepts events and needs no server of yours.
      </p>
      <ErrorNote error={make.error} title="There is no try-out endpoint" />
    </div>
  );
}
