// A plot of one measure over time: a line for numbers, steps with their words for states.
import { useEffect, useRef } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import { shown, signed } from "../measures.js";
import { secondOf } from "../time.js";

const HEIGHT = 300; // CSS pixels
const GAP_FACTOR = 6; // A pause of so many usual distances between two events breaks the line
const WIDTH_OF_STATES = 11; // Of the words beside the plot, in sizes of their font
const MOST_WIDE = 20; // Characters of a state beside the plot; the table has all of them

/** `points`: [[seconds since 1970, value], …], oldest first. `from` and `to` are such seconds. */
export function ValuePlot({ measure, points, from, to, label }) {
  const place = useRef(null);
  useEffect(() => {
    let plot = null;
    let isGone = false;
    const resized = new ResizeObserver(() => {
      plot?.setSize({ width: place.current.clientWidth, height: HEIGHT });
    });
    async function draw() {
      const { default: UPlot } = await import("uplot");
      if (isGone) return;
      plot?.destroy();
      plot = new UPlot(
        options(UPlot, measure, points, from, to, place.current),
        columns(measure, points, from, to),
        place.current,
      );
    }
    draw();
    resized.observe(place.current);
    addEventListener("theme", draw);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      isGone = true;
      resized.disconnect();
      removeEventListener("theme", draw);
      scheme.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [measure, points, from, to]);
  return <div ref={place} class="value-plot" role="img" aria-label={label} />;
}

/** The states of a plot, from the bottom up. */
const statesOf = (points) => [...new Set(points.map(([, value]) => value))].sort();

function columns(measure, points, from, to) {
  const times = points.map(([time]) => time);
  if (measure.isState) {
    const states = statesOf(points);
    const values = points.map(([, value]) => states.indexOf(value));
    const lasts = measure.field && points.length; // A state lasts until the next one
    return lasts ? [[...times, to], [...values, values.at(-1)]] : [times, values];
  }
  // The line ends where a device was silent.
  const distances = times.slice(1).map((time, index) => time - times[index]);
  const usual = distances.toSorted((one, other) => one - other)[Math.floor(distances.length / 2)] ?? 0;
  const [xs, ys] = [[], []];
  points.forEach(([time, value], index) => {
    if (index && distances[index - 1] > usual * GAP_FACTOR + 60) {
      xs.push((times[index - 1] + time) / 2);
      ys.push(null);
    }
    xs.push(time);
    ys.push(value);
  });
  return [xs, ys];
}

function options(UPlot, measure, points, from, to, place) {
  const style = getComputedStyle(place);
  const color = (name) => {
    // light-dark() is resolved where a colour is used, not in the variable itself.
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const [accent, dim, line] = ["--accent", "--dim", "--line"].map(color);
  const size = 0.8571 * parseFloat(style.fontSize);
  const font = `${size}px ${style.fontFamily}`;
  const axis = { stroke: dim, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const states = measure.isState ? statesOf(points) : [];
  const word = (value) => {
    const text = shown(measure, states[value]);
    return text.length > MOST_WIDE ? `${text.slice(0, MOST_WIDE - 1)}…` : text;
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, fill: accent } },
    scales: {
      x: { time: true, range: [from, to] },
      y: measure.isState ? { range: [-0.5, Math.max(states.length, 2) - 0.5] } : {},
    },
    axes: [
      { ...axis, space: 80, grid: { show: false }, values: (_, times) => times.map(onAxis) },
      measure.isState
        ? {
            ...axis,
            size: WIDTH_OF_STATES * size,
            splits: () => states.map((_, index) => index),
            values: (_, values) => values.map(word),
          }
        : { ...axis, size: 4.75 * size, values: (_, values) => values.map((value) => signed(value.toLocaleString("en"))) },
    ],
    series: [
      {},
      {
        stroke: accent,
        width: 1.5,
        spanGaps: false,
        fillTo: (plot) => plot.scales.y.min, // Values may be below zero
        fill: measure.isState ? undefined : `color-mix(in srgb, ${accent} 9%, transparent)`,
        paths: !measure.isState ? undefined : measure.field ? UPlot.paths.stepped({ align: 1 }) : () => null,
        points: { show: measure.isState || points.length < 60, size: 5, fill: accent },
      },
    ],
    hooks: { setCursor: [(plot) => tell(plot, measure, states)] },
    plugins: [bubble()],
  };
}

/** A small note that follows the pointer: value and time. */
function bubble() {
  return {
    hooks: {
      init: (plot) => {
        plot.bubble = document.createElement("div");
        plot.bubble.className = "plot-bubble";
        plot.bubble.hidden = true;
        plot.over.append(plot.bubble);
      },
    },
  };
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

function onAxis(seconds) {
  const at = new Date(seconds * 1000);
  return (at.getHours() || at.getMinutes() ? time : day).format(at);
}

function tell(plot, measure, states) {
  const { idx: index, left } = plot.cursor;
  const value = index === null || index === undefined ? null : plot.data[1][index];
  plot.bubble.hidden = value === null || value === undefined || left < 0;
  if (plot.bubble.hidden) return;
  const text = shown(measure, measure.isState ? states[value] : value);
  plot.bubble.textContent = `${text} · ${secondOf(plot.data[0][index] * 1000)}`;
  const at = plot.valToPos(plot.data[0][index], "x");
  const { offsetWidth } = plot.bubble;
  plot.bubble.style.left = `${Math.max(0, Math.min(at - offsetWidth / 2, plot.over.clientWidth - offsetWidth))}px`;
}
