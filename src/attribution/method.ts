/** What a method is, whether it attributes to edges, to nodes or to tokens. */
import type { MetricKey } from '../task/types.js';
import type { Declared, Options, OptionsOf } from './options.js';

/** Passes of the whole model over one pair; backward ones cost about two forward. */
export interface Cost {
  readonly forwards: number;
  readonly backwards: number;
}

/** What differs between edges, nodes and tokens. */
export interface Level {
  /** what a run is given beside the method's options */
  readonly context: object;
  /** what a method's cost depends on beside its options */
  readonly extent: unknown;
  readonly cost: Cost;
  readonly answer: unknown;
}

/**
 * A way to attribute a metric. One file each; a new one is that file and a line in its level's registry. All that is known of it is
 * in its record: flags, checks, docs and reports are made of that.
 */
export interface Method<L extends Level, D extends Declared = Declared> {
  readonly key: string;
  readonly reference: string;
  /** each with its default, range and meaning */
  readonly options: D;
  /** which run the interventions that it estimates or makes come into; null where there are none */
  readonly direction: 'noising' | 'denoising' | null;
  title(options: OptionsOf<D>): string;
  cost(options: OptionsOf<D>, extent: L['extent']): L['cost'];
  /** What the options come to for a task; default: what they are. */
  adapt?(options: OptionsOf<D>, asked: { readonly metric: MetricKey }): OptionsOf<D>;
  /** Refuses what it cannot answer, before anything is computed. */
  check?(asked: { readonly metric: MetricKey; readonly options: OptionsOf<D> }): void;
  /** Positive = it helps the task. */
  run(context: L['context'] & { readonly options: OptionsOf<D> }): Promise<L['answer']>;
}

type Each<M> = M extends { readonly options: infer D extends Declared } ? OptionsOf<D> : never;
type Together<U> = (U extends unknown ? (given: U) => void : never) extends (given: infer I) => void ? I : never;

/** All options of some methods, as they are asked for: each may be left out. */
export type AskedOptions<M> = Partial<Together<Each<M>>>;

/** What a record says of the method: enough to run it again. */
export const methodRecord = <L extends Level>(
  { key, title, reference }: Method<L>,
  options: Options,
): { key: string; title: string; reference: string; options: Record<string, unknown> } => ({
  key,
  title: title(options),
  reference,
  options: { ...options },
});
