// How connectors are doing, as words and colours; the list's rows, searched and filtered.
import { idOf } from "./api.js";

/** [kind of badge, word] of each state. A healthy one without deliveries has nothing to show for it yet. */
export const STATES = {
  HEALTHY: ["good", "healthy"],
  IDLE: ["hollow", "no deliveries yet"],
  FAILING: ["warn", "failing"],
  OUTAGE: ["bad", "in outage"],
  PAUSED: ["accent hollow", "paused"],
  DISABLED: ["hollow", "disabled"],
};

const sum = (points, name) => points.reduce((total, point) => total + point[name], 0);

/** One row for each connector: what it is, its state, and what it delivered in the last 3 hours. */
export function rowsOf(connectors, health = [], timelines = []) {
  const healthOf = new Map(health.map((each) => [each.name, each]));
  const timelineOf = new Map(timelines.map((each) => [each.connector, each]));
  return connectors.map((connector) => {
    const found = healthOf.get(connector.name);
    const points = timelineOf.get(connector.name)?.points;
    const successes = points && sum(points, "successCount");
    const errors = points && sum(points, "errorCount");
    let state = found?.state;
    if (state === "HEALTHY" && successes === 0) state = "IDLE";
    return {
      id: idOf(connector.name),
      name: connector.displayName || idOf(connector.name),
      url: connector.httpConfig.url,
      state,
      points,
      successes,
      errors,
      lastError: found?.lastError ?? null,
      nextAttemptTime: found?.nextAttemptTime ?? null,
    };
  });
}

/** The rows whose name, URL or id has the text, and that are in the state ("" for all). */
export function chosen(rows, text, state) {
  const wanted = text.trim().toLowerCase();
  return rows.filter(
    (row) =>
      (!state || row.state === state) &&
      (!wanted || [row.name, row.url, row.id].some((each) => each.toLowerCase().includes(wanted))),
  );
}
