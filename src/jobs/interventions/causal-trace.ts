/** Causal tracing of the facts that a model knows. */
import { basename } from 'node:path';
import { nextTokenLogProbabilities } from '../../engine/judging/next-token.js';
import { refuse } from '../../errors.js';
import { estimateMean, meanOf } from '../../evaluation/statistics/intervals.js';
import {
  BUCKETS,
  embeddingDeviation,
  TRACE_DEFAULTS,
  tracePrompt,
  TRACES,
  type SubjectPrompt,
  type TracedPrompt,
} from '../../interventions/tracing/tracing.js';
import type { Model, Tokenizer } from '../../model/types.js';
import { TRACING } from '../../report/folders/tracing.js';
import type { PairRecord } from '../../report/records/pairs.js';
import type { TracingRecord } from '../../report/records/tracing.js';
import { describeSidecar, sha256, type Sidecar } from '../../report/sidecar.js';
import { parseFacts, type Fact } from '../../task/files/facts.js';
import { tokenRange } from '../../task/spans.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import { keepPairs } from '../pairs.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';
import { readTextFile } from '../../task/files/text-file.js';

/** What `thevenin causal-trace` is asked. */
export interface CausalTraceRequest extends JobRequest {
  /** a file of facts: prompt, subject, attribute */
  readonly facts: string;
  /** trace only the first of the facts that the model knows; 0: only count them; undefined: all */
  readonly examples: number | undefined;
  /** noise in standard deviations of the subjects' embeddings */
  readonly factor: number;
  readonly samples: number;
  readonly window: number;
  readonly seed: number;
  readonly bos: boolean | 'auto' | undefined;
}

const DEFAULTS: Omit<CausalTraceRequest, 'facts' | 'model'> = {
  ...TRACE_DEFAULTS,
  ...{ out: undefined, examples: undefined, factor: 3, bos: undefined },
  ...{ runtime: 'auto', threads: undefined, memory: undefined },
};

export type CausalTrace = JobResult<TracingRecord>;

/** Traces every fact whose attribute is the model's first choice (one token, as in the published code). */
export const causalTrace = job<CausalTraceRequest, TracingRecord, 'facts' | 'model'>({
  name: 'causalTrace',
  folder: TRACING,
  defaults: DEFAULTS,
  needs: ['facts', 'model'],
  prepare: async (asked) => {
    if (!(asked.factor > 0))
      refuse(
        'interventions/noise',
        `noise of ${asked.factor} standard deviations corrupts nothing; give more than 0 (ROME: 3)`,
      );
    const text = await readTextFile(asked.facts, "a file of facts such as ROME's known_1000.json");
    const facts = parseFacts(text, asked.facts);
    const digest = sha256(Buffer.from(text));
    return async (bench, stages) => {
      const known = await findKnown(bench, facts, { asked, stages });
      const { deviation, withoutSubject } = known;
      const chosen = known.prompts.slice(0, asked.examples);
      const traced = await traceAll(bench, chosen, { asked, stages, deviation });
      const { config } = bench.model;
      const sidecars = sidecarsOf(chosen, traced, config.nLayers);
      const counts = {
        asked: facts.length,
        ...(known.tried < facts.length ? { tried: known.tried } : {}),
        known: known.prompts.length,
        withoutSubject,
        traced: chosen.length,
      };
      const record = recordOf(config, { asked, chosen, traced, sidecars, counts, deviation, digest });
      const pairs = keepPairs(traced.map((one, n) => factRecord(facts, known.places[n] as number, one)));
      return { record, sidecars, pairs };
    };
  },
});

const factRecord = (facts: readonly Fact[], index: number, { clean, noised }: TracedPrompt): PairRecord => {
  const { prompt, attribute } = facts[index] as Fact;
  return {
    index,
    split: null,
    clean: prompt,
    corrupt: null,
    correct: [attribute],
    incorrect: [],
    results: { clean, noised },
  };
};

interface Doing {
  readonly asked: CausalTraceRequest;
  readonly stages: Stages;
}

interface Known {
  readonly prompts: readonly SubjectPrompt[];
  /** of each, its place in the file */
  readonly places: readonly number[];
  readonly withoutSubject: number;
  /** how many were asked of the model: no more than it takes to know as many as are traced */
  readonly tried: number;
  readonly deviation: number;
}

async function findKnown(
  { model, engine }: Workbench,
  facts: readonly Fact[],
  { asked, stages }: Doing,
): Promise<Known> {
  const tokenizer = model.tokenizer ?? refuse('model/tokenizer', `${model.source} has no tokenizer to read facts with`);
  const start = bosOf(model, tokenizer, asked.bos);
  const deviation = await embeddingDeviation(
    engine,
    facts.map(({ subject }) => tokenizer.encode(subject)),
  );
  const prompts: SubjectPrompt[] = [];
  const places: number[] = [];
  let [withoutSubject, tried] = [0, 0];
  const enough = asked.examples === undefined || asked.examples === 0 ? Infinity : asked.examples;
  await stages.run('facts that the model knows', facts.length, async (report) => {
    for (const [i, { prompt, subject, attribute }] of facts.entries()) {
      stages.signal.throwIfAborted();
      const ids = tokenizer.encode(prompt);
      const at = prompt.indexOf(subject);
      const range = tokenRange(prompt, ids, tokenizer, [at, at + subject.length]);
      if (range === null) withoutSubject++;
      else {
        const whole = [...start, ...ids];
        const answer = largestAt(await nextTokenLogProbabilities(engine, whole));
        if (tokenizer.decode([answer]).trim() === attribute) {
          prompts.push({ ids: whole, subject: [range[0] + start.length, range[1] + start.length], answer });
          places.push(i);
        }
      }
      tried = i + 1;
      report(tried, `${prompts.length} known`);
      if (prompts.length >= enough) break;
    }
  });
  if (prompts.length === 0)
    refuse(
      'interventions/noise',
      `${asked.facts}: the model knows none of the ${facts.length} facts, so there is nothing to trace`,
    );
  return { prompts, places, withoutSubject, tried, deviation };
}

function bosOf({ source }: Model, { prependsBos, bosId }: Tokenizer, bos: CausalTraceRequest['bos']): number[] {
  const wanted = bos === undefined || bos === 'auto' ? prependsBos : bos;
  if (!wanted) return [];
  return [bosId ?? refuse('model/tokenizer', `the tokenizer of ${source} has no BOS token; use --bos false`)];
}

const largestAt = (values: Float64Array): number => values.reduce((best, x, i) => (x > values[best]! ? i : best), 0);

async function traceAll(
  { engine }: Workbench,
  prompts: readonly SubjectPrompt[],
  { asked, stages, deviation }: Doing & { readonly deviation: number },
): Promise<TracedPrompt[]> {
  const { samples, window, seed, factor } = asked;
  const traced: TracedPrompt[] = [];
  await stages.run('causal tracing', prompts.length, async (report) => {
    for (const prompt of prompts) {
      stages.signal.throwIfAborted();
      traced.push(
        await tracePrompt(engine, prompt, tracesOf(engine.model), { noise: factor * deviation, samples, window, seed }),
      );
      report(traced.length);
    }
  });
  return traced;
}

const tracesOf = ({ config }: Model): typeof TRACES => TRACES.filter(({ key }) => key !== 'mlp-out' || config.dMlp > 0);

/** Indirect effects of one kind at one layer, one list of tokens per fact. */
const effectsAt = (
  prompts: readonly SubjectPrompt[],
  traced: readonly TracedPrompt[],
  at: { kind: number; layer: number; bucket: number },
): number[][] =>
  prompts.map(({ ids, subject }, fact) =>
    BUCKETS[at.bucket]!.positions(subject, ids.length).map(
      (position) => traced[fact]!.effects[at.kind]![at.layer * ids.length + position]!,
    ),
  );

/** The mean of every fact in every cell, [layer, tokens, fact]; NaN where a prompt has no such token. */
function sidecarsOf(prompts: readonly SubjectPrompt[], traced: readonly TracedPrompt[], nLayers: number): Sidecar[] {
  if (prompts.length === 0) return [];
  const kinds = traced[0]!.effects.length;
  return TRACES.slice(0, kinds).map(({ key, title }, kind) => ({
    file: `${key}.npy`,
    data: Float64Array.from(
      Array.from({ length: nLayers }, (_, layer) =>
        BUCKETS.map((_, bucket) => effectsAt(prompts, traced, { kind, layer, bucket }).map((own) => meanOf(own))),
      ).flat(2),
    ),
    shape: [nLayers, BUCKETS.length, prompts.length],
    axes: ['layer', 'span', 'example'],
    what: `indirect effect of every fact, ${title} restored; NaN where it has no such token`,
  }));
}

interface Traced {
  readonly asked: CausalTraceRequest;
  readonly chosen: readonly SubjectPrompt[];
  readonly traced: readonly TracedPrompt[];
  readonly sidecars: readonly Sidecar[];
  readonly counts: TracingRecord['facts'];
  readonly deviation: number;
  readonly digest: string;
}

function recordOf({ nLayers }: Model['config'], found: Traced): Found<TracingRecord>['record'] {
  const { asked, chosen, traced, sidecars, counts, deviation, digest } = found;
  const { samples, seed, window, factor } = asked;
  const [clean, corrupt] = [meanOr0(traced.map((one) => one.clean)), meanOr0(traced.map((one) => one.noised))];
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const effects = sidecars.flatMap((_, kind) =>
    layers.flatMap((layer) =>
      BUCKETS.map(({ name }, bucket) => {
        const { mean, low, high, count } = estimateMean(effectsAt(chosen, traced, { kind, layer, bucket }).flat());
        return { grid: TRACES[kind]!.key, layer, tokens: name, mean: count === 0 ? 0 : mean, low, high, count };
      }),
    ),
  );
  const gap = clean - corrupt;
  return {
    kind: 'causal-tracing',
    task: { name: basename(asked.facts), sha256: digest, metric: 'probability', pairs: chosen.length },
    direction: 'denoising',
    ...{ clean, corrupt },
    undefinedBecause: chosen.length === 0 ? 'no fact was traced' : gap === 0 ? 'the noise changes nothing' : null,
    grids: sidecars.map((sidecar, kind) => {
      const own = effects.filter(({ grid }) => grid === TRACES[kind]!.key);
      return {
        grid: TRACES[kind]!.key,
        title: TRACES[kind]!.windowed ? `${TRACES[kind]!.title}, ${window} layers` : TRACES[kind]!.title,
        axes: [
          { name: 'layer', labels: layers.map(String) },
          { name: 'span', labels: BUCKETS.map(({ name }) => name) },
        ],
        mean: own.map(({ mean }) => corrupt + mean),
        recovery: gap === 0 ? null : own.map(({ mean }) => mean / gap),
        perExample: describeSidecar(sidecar),
      };
    }),
    noise: { scale: factor * deviation, factor, deviation, samples, seed, window },
    facts: counts,
    effects,
  };
}

const meanOr0 = (values: readonly number[]): number => (values.length === 0 ? 0 : meanOf(values));
