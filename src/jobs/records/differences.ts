/**
 * How two runs differ. Texts are compared as they are. Numbers are compared by what they measure: all those at one place of a list
 * (`circuit.edges.*.score`), or in one data file, have one scale, the largest |value| among them in the first run, and differ where
 * they are farther apart than the tolerance times that scale.
 */
import type { Sidecar } from '../../report/sidecar.js';
import type { Saved } from '../../report/view.js';

export interface Difference {
  /** where in the record, `*` for every entry of a list; or a data file */
  readonly at: string;
  /** how many of the values there differ, and how many there are */
  readonly count: number;
  readonly of: number;
  /** the value that differs most, in the first run and in the second */
  readonly was: unknown;
  readonly is: unknown;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** values compared */
  readonly compared: number;
}

/** What differs from machine to machine and hour to hour: how long it took, how memory was divided, and what was asked, which is given. */
const APART: ReadonlySet<string> = new Set(['timings', 'cost', 'chunkPlan', 'memory', 'request']);

interface Pair {
  readonly was: unknown;
  readonly is: unknown;
}

export function compareRuns(first: Saved<object>, second: Saved<object>, tolerance: number): Comparison {
  const found = new Map<string, Pair[]>();
  collect('', { was: fields(first.record), is: fields(second.record) }, found);
  collectData(first.sidecars, second.sidecars, found);
  for (const { file, content } of first.lists ?? []) {
    const other = second.lists?.find((one) => one.file === file);
    collect(file, { was: JSON.parse(content), is: other && JSON.parse(other.content) }, found);
  }
  const all = [...found].map(([at, pairs]) => differenceAt(at, pairs, tolerance));
  return {
    differences: all.filter((one) => one.count > 0),
    compared: all.reduce((sum, one) => sum + one.of, 0),
  };
}

/** Through JSON, as a record that is read has come: a field without a value is none. */
const fields = (record: object): object =>
  Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(record)) as object).filter(([key]) => !APART.has(key)));

function collect(at: string, pair: Pair, found: Map<string, Pair[]>): void {
  const { was, is } = pair;
  if (Array.isArray(was) && Array.isArray(is) && was.length === is.length)
    was.forEach((one, i) => collect(`${at}.*`, { was: one as unknown, is: is[i] as unknown }, found));
  else if (isFields(was) && isFields(is)) {
    const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
    // a data file is compared by what is in it
    const data = 'file' in was && 'sha256' in was;
    for (const key of keys)
      if (!(data && key === 'sha256')) collect(at === '' ? key : `${at}.${key}`, { was: was[key], is: is[key] }, found);
  } else add(found, at, { was: brief(was), is: brief(is) });
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const brief = (value: unknown): unknown =>
  Array.isArray(value) ? `${value.length} entries` : isFields(value) ? 'fields' : value;

function add(found: Map<string, Pair[]>, at: string, pair: Pair): void {
  const there = found.get(at);
  if (there) there.push(pair);
  else found.set(at, [pair]);
}

function collectData(first: readonly Sidecar[], second: readonly Sidecar[], found: Map<string, Pair[]>): void {
  for (const { file, data } of first) {
    const other = second.find((one) => one.file === file);
    if (other?.data.length === data.length)
      found.set(
        file,
        Array.from(data, (was, i) => ({ was, is: other.data[i] as number })),
      );
    else found.set(file, [{ was: `${data.length} values`, is: other ? `${other.data.length} values` : undefined }]);
  }
}

function differenceAt(at: string, pairs: readonly Pair[], tolerance: number): Difference {
  const size = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? Math.abs(value) : 0);
  const scale = pairs.reduce((most, { was }) => Math.max(most, size(was)), 0);
  const apart = pairs.filter((pair) => distance(pair) > tolerance * scale);
  const worst = apart.reduce<Pair | null>((most, one) => (most && distance(most) >= distance(one) ? most : one), null);
  return { at, count: apart.length, of: pairs.length, was: worst?.was, is: worst?.is };
}

function distance({ was, is }: Pair): number {
  if (Object.is(was, is)) return 0;
  if (typeof was !== 'number' || typeof is !== 'number') return Infinity;
  const apart = Math.abs(was - is);
  return Number.isNaN(apart) ? Infinity : apart;
}
