// Deliveries and errors of the last 3 hours in the height of a line of text.
const WIDTH = 144; // 36 steps of 4
const HEIGHT = 28;
const LEAST = 2; // So that one error among thousands is seen

/** `points`: [{successCount, errorCount}, …]; undefined while it is not known. */
export function Sparkline({ points, label }) {
  if (!points) return <span class="skeleton w1" />;
  const most = Math.max(1, ...points.map(({ successCount, errorCount }) => successCount + errorCount));
  const step = WIDTH / points.length;
  const high = (value) => value && Math.max(LEAST, (value / most) * (HEIGHT - LEAST));
  const bar = (index, bottom, height) =>
    height > 0 && `M${(index * step).toFixed(1)} ${(HEIGHT - bottom).toFixed(1)}v${(-height).toFixed(1)}h${(step - 1).toFixed(1)}v${height.toFixed(1)}z`;
  const paths = { good: "", bad: "", none: "" };
  points.forEach(({ successCount, errorCount }, index) => {
    const good = Math.min(high(successCount), HEIGHT - (errorCount ? LEAST : 0));
    paths.good += bar(index, 0, good) || "";
    paths.bad += bar(index, good, Math.min(high(errorCount), HEIGHT - good)) || "";
    if (successCount + errorCount === 0) paths.none += bar(index, 0, 1);
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {Object.entries(paths).map(([kind, d]) => d && <path key={kind} class={kind} d={d} />)}
    </svg>
  );
}
