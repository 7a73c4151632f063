import { METHODS, findMethod, type EdgeOptions } from '../../attribution/edges/index.js';
import { readOptions, type Options } from '../../attribution/options.js';
import { SOURCES } from '../../engine/sources/index.js';
import type { SourceKind } from '../../engine/sources/kinds.js';

/**
 * What `thevenin discover` is asked, with the options of the methods beside its own. Only task and model have no default; those of
 * the chosen method's options stand in its record.
 */
export interface DiscoverRequest extends Omit<EdgeOptions, 'edges' | 'seed'> {
  /** a shipped task's name or a task file */
  readonly task: string;
  /** a bundled model's name, a folder or a .gguf file */
  readonly model: string;
  /** folder of the report; undefined: nothing is written */
  readonly out: string | undefined;
  /** replaces the run that the folder holds */
  readonly overwrite: boolean;
  readonly method: string;
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
  /** edges to choose, before dead ends are pruned */
  readonly edges: number;
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
  source: 'other-prompt',
  noiseScale: 1,
  journal: undefined,
  resolution: 'all',
  spans: undefined,
  neurons: undefined,
  perExample: false,
  edges: 200,
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

/** What else in a run reads options that methods have, too: splits and selection, and constants that are learned. */
const elsewhere = ({ source }: DiscoverRequest): readonly string[] =>
  Object.hasOwn(SOURCES, source) && SOURCES[source].needs.constants ? ['seed', 'edges', 'holds'] : ['seed', 'edges'];

/** The options of the method asked for. @throws TheveninError discovery/method, attribution/option, or an option's own code */
export function methodOptions(request: DiscoverRequest): Options {
  const method = findMethod(request.method);
  return readOptions(method, { ...request }, { methods: METHODS, elsewhere: elsewhere(request) });
}
