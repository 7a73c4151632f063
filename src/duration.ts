/** seconds in one, its name, and the seconds from which on it reads better than the unit below */
const UNITS = [
  [86_400, 'days', 2 * 86_400],
  [3600, 'h', 90 * 60],
  [60, 'min', 90],
  [1, 's', 0.9995],
] as const;

/** How long something takes, to two figures: `40 ms`, `4.2 s`, `40 s`, `12 min`, `11 h`, `6.0 days`. */
export function formatDuration(seconds: number): string {
  for (const [size, name, from] of UNITS) {
    const count = seconds / size;
    if (seconds >= from) return `${count < 9.95 ? count.toFixed(1) : Math.round(count)} ${name}`;
  }
  return `${Math.round(seconds * 1000)} ms`;
}
