/** What a wrong name may have meant. */

/**
 * Letters that are left out, put in, exchanged or swapped with their neighbour between two texts (optimal string alignment; Damerau
 * 1964, "A technique for computer detection and correction of spelling errors").
 */
const editDistance = (a: string, b: string): number => {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
};

/** How far apart two names are; one that is a part of the other is a slip and a half away. */
const distance = (asked: string, name: string): number => {
  const [a, b] = [asked.toLowerCase().slice(0, 100), name.toLowerCase()];
  const isPart = a.length > 1 && (b.includes(a) || a.includes(b));
  return Math.min(editDistance(a, b), isPart ? 1.5 : Infinity);
};

/** Farther away than two letters of five, a name is no slip of another: all such are equally far. */
const distanceIfNear = (asked: string, name: string): number => {
  const away = distance(asked, name);
  return away <= Math.max(1.5, Math.floor(0.4 * asked.length)) ? away : Number.MAX_SAFE_INTEGER;
};

/**
 * The names that there are, as the end of a message: those that are near to the one that was asked for come first, the nearest of them
 * at the front; the others keep their order.
 */
export const choicesFor = (asked: string, names: readonly string[]): string =>
  names
    .map((name) => ({ name, away: distanceIfNear(asked, name) }))
    .sort((a, b) => a.away - b.away)
    .map(({ name }) => name)
    .join(', ');
