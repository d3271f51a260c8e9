// Publishes to BullMQ. Each line of standard input is a JSON list of events, each of them id, URL and body. The answer
// to a line is a JSON object with the epoch second at which the call for each id began.
import { createInterface } from "node:readline";
import { CONDITIONS, NAME, connect, require } from "./queue.mjs";

const { Queue } = require("bullmq");

const queue = new Queue(NAME, {
  connection: connect(),
  defaultJobOptions: {
    attempts: CONDITIONS.attempts,
    backoff: { type: "custom" },
    removeOnComplete: true,
    removeOnFail: false,
  },
});

for await (const line of createInterface({ input: process.stdin })) {
  const events = JSON.parse(line);
  const jobs = events.map(([, url, body]) => ({ name: "deliver", data: { url, body } }));
  const now = (performance.timeOrigin + performance.now()) / 1000;
  if (jobs.length === 1) await queue.add(jobs[0].name, jobs[0].data);
  else await queue.addBulk(jobs);
  console.log(JSON.stringify(Object.fromEntries(events.map(([id]) => [id, now]))));
}
process.exit(0);
