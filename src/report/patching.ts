/**
 * The record of activation patching, `patching.json`, and what is drawn of it. Values are means over pairs; those of every pair
 * are in the npy files named.
 */
import type { SidecarRecord } from './record.js';

export interface GridAxis {
  readonly name: 'layer' | 'head' | 'neuron' | 'position' | 'span' | 'query' | 'key' | 'sender' | 'receiver' | 'heads';
  readonly labels: readonly string[];
}

export interface GridRecord {
  /** which activations were replaced */
  readonly grid: string;
  readonly title: string;
  /** slowest first */
  readonly axes: readonly GridAxis[];
  /** metric of the patched runs, flat, the last axis fastest */
  readonly mean: readonly number[];
  /** (m − m_corrupt) / (m_clean − m_corrupt); null where that is not defined */
  readonly recovery: readonly number[] | null;
  /** metric of every pair, [...axes, pair] */
  readonly perExample: SidecarRecord;
}

export type PatchingKind = 'activation-patching' | 'path-patching' | 'attention-knockout' | 'causal-tracing';

export interface PatchingRecord {
  readonly schemaVersion: 1;
  readonly kind: PatchingKind;
  readonly versions: { readonly thevenin: string; readonly node: string; readonly runtime: string };
  readonly model: { readonly name: string; readonly weightsSha256: string };
  readonly task: { readonly name: string; readonly sha256: string; readonly metric: string; readonly pairs: number };
  /** denoising: clean values come into the corrupt run; noising: corrupt values into the clean run */
  readonly direction: 'noising' | 'denoising';
  /** mean metric of the prompts without intervention */
  readonly clean: number;
  readonly corrupt: number;
  /** why there is no recovery; null where there is */
  readonly undefinedBecause: string | null;
  readonly grids: readonly GridRecord[];
  readonly timings: { readonly startedAt: string; readonly totalSeconds: number };
}

/**
 * What a cell shows, 0 where replacing changed nothing: denoising, the share of the metric that came back (recovery); noising,
 * the share that was lost (1 − recovery); where recovery is not defined, the change of the metric itself.
 */
export function shown(
  { direction, clean, corrupt }: PatchingRecord,
  { mean, recovery }: GridRecord,
): readonly number[] {
  if (recovery !== null) return direction === 'denoising' ? recovery : recovery.map((share) => 1 - share);
  const base = direction === 'denoising' ? corrupt : clean;
  return mean.map((value) => value - base);
}

export function shownName({ direction, task, undefinedBecause }: PatchingRecord): string {
  if (undefinedBecause !== null) return `change of ${task.metric}`;
  return direction === 'denoising' ? 'recovered share' : 'lost share';
}

/** The cell's place in words: `layer 3, head 1, position 4 S2`. */
export function cellName(axes: readonly GridAxis[], cell: number): string {
  let rest = cell;
  const parts = [...axes].reverse().map(({ name, labels }) => {
    const label = labels[rest % labels.length];
    rest = Math.floor(rest / labels.length);
    return `${name} ${label}`;
  });
  return parts.reverse().join(', ');
}

/** Cells with the largest |shown|, strongest first, ties in order. */
export function strongestCells(values: readonly number[], count: number): readonly number[] {
  const order = values.map((_, cell) => cell);
  return order.sort((a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number) || a - b).slice(0, count);
}
