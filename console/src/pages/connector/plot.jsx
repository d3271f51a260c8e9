// The last 3 hours of a connector: attempts as bars, latencies as lines, over one axis of time. It
// is drawn here and not by uPlot: 36 points are few, and elements have the theme's colours.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Segments } from "../../ui/basics.jsx";
import { count, counted, duration } from "../../time.js";

const BARS = 132; // Heights and margins in CSS pixels
const LINES = 92;
const BETWEEN = 30;
const BELOW = 22;
const ABOVE = 10;
const LEFT = 52;
const RIGHT = 8;
const HEIGHT = ABOVE + BARS + BETWEEN + LINES + BELOW;
const NARROW = 520; // Below that there is a time on the axis every hour, above every 30 minutes
const PERCENTILES = [50, 95, 99];

const hourAndMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clock = (time) => hourAndMinute.format(new Date(time));

/** The next number that reads well on an axis, and so does its half. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10].find((factor) => factor * power >= value) * power;
}

function useWidth() {
  const place = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(place.current.clientWidth);
    const observer = new ResizeObserver(measure);
    measure();
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return [place, width];
}

/** `timeline` is the API's answer. */
export function DeliveriesPlot({ timeline }) {
  const [view, setView] = useState("plot");
  const { points } = timeline;
  const sum = (name) => points.reduce((total, point) => total + point[name], 0);
  const said = `${counted(sum("successCount"), "delivery", "deliveries")} and ${counted(sum("errorCount"), "error")}`;
  return (
    <>
      <div class="row spread">
        <ul class="legend row">
          <li class="key-good">Deliveries</li>
          <li class="key-bad">Errors</li>
          {PERCENTILES.map((percent) => (
            <li key={percent} class={`key-line p${percent}`}>
              p{percent}
            </li>
          ))}
        </ul>
        <Segments
          label="Shown as"
          value={view}
          options={[
            ["plot", "Plot"],
            ["table", "Table"],
          ]}
          onChange={setView}
        />
      </div>
      {view === "plot" ? <Drawing timeline={timeline} label={`${said} in the last 3 hours. The table has the numbers.`} /> : <Numbers points={points} />}
    </>
  );
}

function Drawing({ timeline, label }) {
  const [place, width] = useWidth();
  const [chosen, setChosen] = useState(null);
  const { points } = timeline;
  const inner = Math.max(width - LEFT - RIGHT, 1);
  const step = inner / points.length;
  const most = roundUp(Math.max(4, ...points.map((point) => point.successCount + point.errorCount)));
  const slowest = roundUp(Math.max(10, ...points.map((point) => point.latencyP99 ?? 0)));
  const bottom = ABOVE + BARS;
  const lowest = bottom + BETWEEN + LINES;
  const bar = (value) => (value / most) * BARS;
  const low = (value) => lowest - (value / slowest) * LINES;
  const x = (index) => LEFT + (index + 0.5) * step;
  const every = width < NARROW ? 60 : 30;
  const point = points[chosen];
  function look(event) {
    const at = event.clientX - place.current.getBoundingClientRect().left - LEFT;
    const index = Math.floor(at / step);
    setChosen(index >= 0 && index < points.length ? index : null);
  }
  return (
    <div class="deliveries-plot" ref={place} onPointerMove={look} onPointerLeave={() => setChosen(null)}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={label}>
          {[0, 0.5, 1].map((part) => (
            <g key={part}>
              <line class="grid" x1={LEFT} x2={width - RIGHT} y1={bottom - part * BARS} y2={bottom - part * BARS} />
              <text x={LEFT - 8} y={bottom - part * BARS + 4} text-anchor="end">
                {count(part * most)}
              </text>
            </g>
          ))}
          {[0, 1].map((part) => (
            <g key={part}>
              <line class="grid" x1={LEFT} x2={width - RIGHT} y1={lowest - part * LINES} y2={lowest - part * LINES} />
              <text x={LEFT - 8} y={lowest - part * LINES + 4} text-anchor="end">
                {part ? duration(slowest).replace(/\.0+(?= )/, "") : "0"}
              </text>
            </g>
          ))}
          {point && <rect class="chosen" x={LEFT + chosen * step} width={step} y={ABOVE} height={lowest - ABOVE} />}
          {points.map(({ time, successCount, errorCount }, index) => (
            <g key={time}>
              <rect
                class="good"
                x={LEFT + index * step + step * 0.14}
                width={step * 0.72}
                y={bottom - bar(successCount)}
                height={bar(successCount)}
              />
              <rect
                class="bad"
                x={LEFT + index * step + step * 0.14}
                width={step * 0.72}
                y={bottom - bar(successCount + errorCount)}
                height={bar(errorCount)}
              />
              {new Date(time).getMinutes() % every === 0 && (
                <text x={LEFT + index * step} y={HEIGHT - 4} text-anchor="middle">
                  {clock(time)}
                </text>
              )}
            </g>
          ))}
          {PERCENTILES.map((percent) => (
            <Line key={percent} points={points} name={`latencyP${percent}`} x={x} y={low} look={`p${percent}`} />
          ))}
        </svg>
      )}
      {point && (
        <div class="plot-tip" style={{ left: `${Math.min(Math.max(x(chosen) - 84, 0), Math.max(width - 168, 0))}px` }}>
          <strong>
            {clock(point.time)}–{clock(Date.parse(point.time) + timeline.stepSeconds * 1000)}
          </strong>
          <span>{counted(point.successCount, "delivery", "deliveries")}</span>
          <span>{counted(point.errorCount, "error")}</span>
          {point.latencyP50 !== null && (
            <span>
              {PERCENTILES.map((percent) => duration(point[`latencyP${percent}`])).join(" · ")}
            </span>
          )}
        </div>
      )}
    </div>
  );
}

/** A line that ends where there was no attempt; a point that stands alone is a dot. */
function Line({ points, name, x, y, look }) {
  let path = "";
  const dots = [];
  points.forEach((point, index) => {
    const value = point[name];
    if (value === null) return;
    const isNew = !index || points[index - 1][name] === null;
    path += `${isNew ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    if (isNew && (points[index + 1]?.[name] ?? null) === null) dots.push(index);
  });
  return (
    <g class={`line ${look}`}>
      <path d={path} />
      {dots.map((index) => (
        <circle key={index} cx={x(index)} cy={y(points[index][name])} r="2" />
      ))}
    </g>
  );
}

function Numbers({ points }) {
  return (
    <div class="plot-numbers" tabIndex={0} role="region" aria-label="Numbers of the plot">
      <table class="table">
        <thead>
          <tr>
            <th>From</th>
            <th class="number">Deliveries</th>
            <th class="number">Errors</th>
            {PERCENTILES.map((percent) => (
              <th key={percent} class="number">
                p{percent}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.time}>
              <td>{clock(point.time)}</td>
              <td class="number">{count(point.successCount)}</td>
              <td class="number">{count(point.errorCount)}</td>
              {PERCENTILES.map((percent) => (
                <td key={percent} class="number">
                  {duration(point[`latencyP${percent}`])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
