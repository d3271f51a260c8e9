// Times and numbers as people read them.
import { now } from "./session.js";

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "long",
});
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY_AND_CLOCK = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const dayAndClock = new Intl.DateTimeFormat("en-GB", DAY_AND_CLOCK);
const toTheSecond = new Intl.DateTimeFormat("en-GB", { ...DAY_AND_CLOCK, second: "2-digit" });

/** "12 sec. ago", "in 3 min.", from RFC 3339 text or ms. */
export function ago(time, from = now()) {
  const seconds = (new Date(time).getTime() - from) / 1000;
  if (Number.isNaN(seconds)) return "";
  if (Math.abs(seconds) < 1.5) return "now";
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  return relative.format(Math.trunc(seconds / length), unit);
}

const isTime = (time) => !Number.isNaN(new Date(time).getTime());
export const exactly = (time) => (isTime(time) ? exact.format(new Date(time)) : String(time));
export const clockOf = (time) => (isTime(time) ? clock.format(new Date(time)) : "");
/** "5 Nov, 09:07:03", from RFC 3339 text or ms that are a time. */
export const secondOf = (time) => toTheSecond.format(new Date(time));
export const shortly = (time) => (isTime(time) ? dayAndClock.format(new Date(time)) : "");

const whole = new Intl.NumberFormat("en");
export const count = (value) => (typeof value === "number" ? whole.format(value) : "–");

/** "1 event", "12 events". */
export const counted = (value, noun, nouns = `${noun}s`) =>
  `${count(value)} ${value === 1 ? noun : nouns}`;

/** A duration in ms: "0.4 ms", "12 ms", "1.24 s", "3 min". */
export function duration(ms) {
  if (typeof ms !== "number" || Number.isNaN(ms)) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function bytes(value) {
  if (typeof value !== "number") return "–";
  return value < 1_000 ? `${value} B` : `${(value / 1_000).toFixed(1)} kB`;
}
