/** Round numbers 1, 2 or 5 times a power of ten apart, that reach from below `low` to above `high`, at most `most` of them. */
export function ticksOf(low: number, high: number, { most }: { readonly most: number }): number[] {
  if (!(high > low)) return [low];
  const steps = [1, 2, 5].map((digit) => digit * 10 ** Math.floor(Math.log10((high - low) / most)));
  const step = [...steps, 10 * (steps[0] as number), 20 * (steps[0] as number)].find(
    (one) => countAt(one, low, high) <= most,
  );
  const size = step ?? high - low;
  const first = Math.floor(low / size + SLACK);
  return Array.from({ length: countAt(size, low, high) }, (_, i) => round((first + i) * size));
}

/** Room for rounding: 0.3 / 0.1 is not 3. */
const SLACK = 1e-9;
const countAt = (step: number, low: number, high: number): number =>
  Math.ceil(high / step - SLACK) - Math.floor(low / step + SLACK) + 1;
const round = (value: number): number => Number(value.toPrecision(12)) + 0;
