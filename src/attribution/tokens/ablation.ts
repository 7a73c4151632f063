/** Attribution by leaving out. */
import { isSame, valuesAt, withAtBaseline, type Group, type ScalarFunction, type Way } from './function.js';

/**
 * f(x) − f(x with the group at the baseline), for each group alone: what is lost without it. Groups may overlap; what does not
 * differ from the baseline is worth exactly 0. Cost: a forward pass for x, and one per group that differs.
 */
export async function featureAblation(f: ScalarFunction, way: Way, groups: readonly Group[]): Promise<Float64Array> {
  const differing = groups.flatMap((group, i) => (isSame(way, group) ? [] : [{ group, i }]));
  const [whole = 0, ...without] = await valuesAt(f, 1 + differing.length, (k) =>
    k === 0 ? way.x : withAtBaseline(way, [(differing[k - 1] as { group: Group }).group]),
  );
  const values = new Float64Array(groups.length);
  differing.forEach(({ i }, k) => (values[i] = whole - (without[k] as number)));
  return values;
}
