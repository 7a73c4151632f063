/** What a JSON text may say that a program must not believe. */

/** Nothing that Thevenin reads is nested deeper; functions that walk a value by calling themselves need an end. */
const DEEPEST = 100;

interface Place {
  readonly value: unknown;
  readonly depth: number;
  readonly key: string | number;
  readonly within: Place | null;
}

const pointerTo = ({ key, within }: Place): string => (within === null ? '' : `${pointerTo(within)}/${key}`);

const flawIn = ({ value, depth, key }: Place): string | null => {
  if (depth > DEEPEST) return `is nested more than ${DEEPEST} deep`;
  // a field that programs take for the object's prototype
  if (key === '__proto__') return 'is called "__proto__", which is no name for a field';
  // JSON.parse makes Infinity of 1e999
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number beyond what a float64 can hold';
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value))
    return 'holds one half of a surrogate pair, which is no character';
  return null;
};

/**
 * Why a parsed JSON value is refused whatever it is for, and where, e.g. `/generator/seed is a number beyond …`; null where it
 * is sound. Walks without calling itself, so that no depth can exhaust the stack.
 */
export const flawOfJson = (json: unknown): string | null => {
  const open: Place[] = [{ value: json, depth: 0, key: '', within: null }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const flaw = flawIn(place);
    // a place so deep is named by where it is entered
    if (flaw !== null) return `${pointerTo(place).slice(0, 60) || '/'} ${flaw}`;
    const { value, depth } = place;
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value))
        open.push({ value: inner, depth: depth + 1, key, within: place });
  }
  return null;
};
