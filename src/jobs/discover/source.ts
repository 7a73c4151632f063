/** What cut edges read, made ready for a task. */
import {
  ablationLosses,
  checkConstants,
  learnConstants,
  senderKeeps,
} from '../../attribution/edges/constants/learn.js';
import { CONSTANT_DEFAULTS } from '../../attribution/edges/constants/setting.js';
import { HELD, heldMetric } from '../../attribution/edges/held.js';
import { planBatches } from '../../engine/core/batches.js';
import { checkSource, makeSource, SOURCES, type AlternativeMaker, type Constants } from '../../engine/sources/index.js';
import type { SourceKind } from '../../engine/sources/kinds.js';
import { meanOf } from '../../evaluation/statistics/intervals.js';
import type { ReportRecord } from '../../report/records/report.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { DiscoverRequest } from './request.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';

type SourceRequest = Pick<DiscoverRequest, 'source' | 'seed' | 'noiseScale' | 'holds'>;

export interface OpenedSource {
  /** undefined: the other prompt */
  readonly maker: AlternativeMaker | undefined;
  /** how it was made */
  readonly record: Pick<ReportRecord['settings'], 'noise' | 'constants'>;
}

const examplesOf = (task: CheckedTask, split: 'discover' | 'report'): Example[] =>
  task.splits[split].map((place) => task.examples[place] as Example);

const noiseOf = ({ seed, noiseScale }: SourceRequest): { seed: number; scale: number } => ({ seed, scale: noiseScale });

/**
 * Refuses a source that cannot be made for the task, before anything is computed.
 * @throws TheveninError discovery/source, interventions/noise, discovery/memory
 */
export function checkSourceOf({ engine }: Workbench, task: CheckedTask, request: SourceRequest): void {
  const reference = examplesOf(task, 'discover');
  checkSource(request.source, { examples: task.examples, reference, noise: noiseOf(request) });
  if (SOURCES[request.source].needs.constants) checkConstants(engine, reference);
}

/** What a journal must agree on. */
export const sourceText = (request: SourceRequest): string => {
  const { noise, constants } = SOURCES[request.source].needs;
  const { source, seed, noiseScale, holds = HELD } = request;
  return [source, ...(noise ? [noiseScale, seed] : []), ...(constants ? [holds, seed] : [])].join(' ');
};

/**
 * Means, noise and constants are of the pairs of the `discover` split: values over their corrupt prompts; constants are learned to
 * hurt the clean ones least. Cost: one forward pass over them; for constants see `learnConstants`.
 */
export async function openSource(
  { engine }: Workbench,
  task: CheckedTask,
  { request, stages }: { request: SourceRequest; stages: Stages },
): Promise<OpenedSource> {
  const { source } = request;
  if (source === 'other-prompt') return { maker: undefined, record: {} };
  const reference = examplesOf(task, 'discover');
  const noise = noiseOf(request);
  const given = { batches: planBatches(engine, reference).batches, side: 'corrupt', noise } as const;
  const { needs } = SOURCES[source];
  if (!needs.constants) return { maker: await makeSource(engine, source, given), record: needs.noise ? { noise } : {} };
  const metric = heldMetric(task.metric, request.holds ?? HELD);
  const { updates } = CONSTANT_DEFAULTS;
  const note = `${updates} updates each: ${2 * updates} forward + ${updates} backward passes over a batch`;
  const constants = await stages.run('a constant for every sender', engine.universe.senders.length, (report) => {
    report(0, note);
    const onProgress = (done: number): void => report(done, note);
    return learnConstants(engine, reference, { metric, seed: request.seed, signal: stages.signal, onProgress });
  });
  const makers = await compared(engine, given, constants);
  const losses = async (split: 'discover' | 'report'): Promise<Losses> => {
    const examples = examplesOf(task, split);
    const loss = (kind: Compared): Promise<Float64Array> =>
      ablationLosses(engine, examples, { source: makers[kind], keeps: senderKeeps(engine), metric });
    const all = await Promise.all(COMPARED.map(async (kind) => [kind, meanOf(await loss(kind))] as const));
    return Object.fromEntries(all) as Losses;
  };
  const record = { metric, reference: await losses('discover'), heldOut: await losses('report') };
  return { maker: makers.learned, record: { constants: record } };
}

/** What learned constants are compared with. */
const COMPARED = ['learned', 'mean', 'zero', 'other-prompt'] as const satisfies readonly SourceKind[];
type Compared = (typeof COMPARED)[number];
type Losses = Record<Compared, number>;

async function compared(
  engine: Workbench['engine'],
  given: Parameters<typeof makeSource>[2],
  constants: Constants,
): Promise<Record<Compared, AlternativeMaker>> {
  const make = (kind: Compared): Promise<AlternativeMaker> => makeSource(engine, kind, { ...given, constants });
  const all = await Promise.all(COMPARED.map(async (kind) => [kind, await make(kind)] as const));
  return Object.fromEntries(all) as Record<Compared, AlternativeMaker>;
}
