import { ACDC_DEFAULTS, type AcdcSetting } from '../../attribution/edges/acdc/setting.js';
import { MASK_DEFAULTS, type MaskSetting } from '../../attribution/edges/masks/setting.js';
import type { RiemannRule } from '../../attribution/edges/index.js';
import type { SourceKind } from '../../engine/sources/kinds.js';

/** What `thevenin discover` is asked. Only task and model have no default. */
export interface DiscoverRequest extends AcdcSetting, MaskSetting {
  /** a shipped task's name or a task file */
  readonly task: string;
  /** a bundled model's name, a folder or a .gguf file */
  readonly model: string;
  /** folder of the report; undefined: nothing is written */
  readonly out: string | undefined;
  /** replaces the run that the folder holds */
  readonly overwrite: boolean;
  readonly method: string;
  readonly steps: number;
  readonly rule: RiemannRule;
  /** what a cut edge reads, when edges are scored and when circuits are evaluated */
  readonly source: SourceKind;
  /** with `source: gaussian`, the noise in standard deviations of what it replaces */
  readonly noiseScale: number;
  /** file in which `exact` keeps what it has measured, and from which it goes on */
  readonly journal: string | undefined;
  /** whether scores and exact effects are told apart by position, or by span of the prompt */
  readonly resolution: 'all' | 'position' | 'span';
  /** names of the spans; undefined: all that every pair has */
  readonly spans: readonly string[] | undefined;
  /** layers whose MLPs' neurons are told apart, too; undefined: none */
  readonly neurons: readonly number[] | undefined;
  /** keep the scores of every pair */
  readonly perExample: boolean;
  readonly select: string;
  /** the least score, with `select: threshold` */
  readonly threshold: number | undefined;
  readonly by: 'absolute' | 'signed';
  /** only the first pairs, or how many a generator makes */
  readonly examples: number | undefined;
  readonly seed: number;
  /** stands above the task's own */
  readonly bos: boolean | 'auto' | undefined;
  /** false: every pair is used for everything */
  readonly split: boolean;
  /** go on although the model does not do the task */
  readonly force: boolean;
  readonly runtime: string;
  readonly threads: number | undefined;
  /** bytes; undefined: a share of the machine's */
  readonly memory: number | undefined;
  /** key of a layout of the drawing */
  readonly layout: string;
  /** never compress circuit.json */
  readonly plain: boolean;
  /** |1 − faithfulness| that backward elimination keeps on the `choose` split; undefined: no elimination */
  readonly minimal: number | undefined;
  /** random subsets of edges that are cut to bound what the ranking missed; undefined: none */
  readonly diagnose: number | undefined;
  /** how many random circuits the circuit is compared with */
  readonly randomCircuits: number;
  /** how many of the strongest edges have their exact effect measured */
  readonly exactEdges: number;
}

export const DISCOVER_DEFAULTS: Omit<DiscoverRequest, 'task' | 'model'> = {
  out: undefined,
  overwrite: false,
  method: 'eap-ig',
  steps: 5,
  rule: 'midpoint',
  ...ACDC_DEFAULTS,
  ...MASK_DEFAULTS,
  source: 'other-prompt',
  noiseScale: 1,
  journal: undefined,
  resolution: 'all',
  spans: undefined,
  neurons: undefined,
  perExample: false,
  select: 'top-n',
  threshold: undefined,
  by: 'absolute',
  examples: undefined,
  seed: 0,
  bos: undefined,
  split: true,
  force: false,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
  layout: 'layered',
  plain: false,
  minimal: undefined,
  diagnose: undefined,
  randomCircuits: 20,
  exactEdges: 60,
};
