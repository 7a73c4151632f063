/** What the tokens of a task's prompts contribute to its metric: values, their record and their page. */
import { basename } from 'node:path';
import { findTokenMethod, type Baseline, type TokenMethod, type TokenSetting } from '../../attribution/tokens/index.js';
import { attributeTokens, type Contributions, type TokenAttribution } from '../../attribution/tokens/tokens.js';
import type { RiemannRule } from '../../engine/gradients/riemann.js';
import { estimateMean } from '../../evaluation/statistics/intervals.js';
import type { Model } from '../../model/types.js';
import { packageVersion } from '../../package.js';
import type { ProgressListener } from '../../progress.js';
import { recordFile } from '../../report/check.js';
import { encodeNpy } from '../../report/formats/npy.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import { TOKENS_SCHEMA, type PromptRecord, type TokenRow, type TokensRecord } from '../../report/records/tokens.js';
import { tokensPage } from '../../report/pages/tokens.js';
import { writeFiles } from '../../report/write.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { Stages } from '../stages.js';
import { openTask, withWorkbench, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin tokens` is asked. Only task and model have no default. */
export interface TokensRequest extends Omit<TaskRequest, 'split'> {
  readonly model: string;
  /** folder of the result; undefined: nothing is written */
  readonly out: string | undefined;
  readonly method: string;
  readonly baseline: Baseline;
  readonly steps: number;
  readonly rule: RiemannRule;
  readonly samples: number;
  /** undefined: those that every prompt has */
  readonly spans: readonly string[] | undefined;
  readonly runtime: string;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
}

const DEFAULTS: Omit<TokensRequest, 'task' | 'model'> = {
  out: undefined,
  method: 'ig',
  baseline: 'corrupt',
  steps: 50,
  rule: 'midpoint',
  samples: 2048,
  spans: undefined,
  examples: undefined,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export interface TokensResult {
  readonly record: TokensRecord;
  readonly sidecar: Sidecar;
  /** files written, the page first; empty without `out` */
  readonly written: readonly string[];
}

/**
 * Attributes the metric to the tokens or spans of every pair's clean prompt.
 * @throws TheveninError for every fault of the input, before any compute
 */
export async function tokens(
  request: Partial<TokensRequest> & Pick<TokensRequest, 'task' | 'model'>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: ProgressListener } = {},
): Promise<TokensResult> {
  const asked: TokensRequest = { ...DEFAULTS, ...request };
  const method = findTokenMethod(asked.method);
  const { steps, rule, samples, seed, baseline, spans } = asked;
  const setting: TokenSetting = { steps, rule, samples, seed };
  const stages = new Stages(options.onProgress ?? (() => undefined), options.signal ?? new AbortController().signal);
  return withWorkbench(asked, async (bench) => {
    const { task } = await openTask(bench.model, { ...asked, split: false });
    const attribution = await stages.run(method.title(setting), task.examples.length, (report) =>
      attributeTokens(bench.engine, task.examples, {
        ...{ method, setting, baseline, spans },
        metric: task.metric,
        signal: stages.signal,
        onProgress: (done) => report(done),
      }),
    );
    const sidecar = sidecarOf(attribution, method);
    const record = await recordOf(bench, { asked, task, method, setting, attribution, sidecar, stages });
    stages.signal.throwIfAborted();
    const written = asked.out === undefined ? [] : await writeAll(asked.out, record, sidecar);
    return { record, sidecar, written };
  });
}

/** Where prompts have other tokens or spans than the longest, their places are NaN. */
function sidecarOf({ prompts, division }: TokenAttribution, { of }: TokenMethod): Sidecar {
  const byName = of === 'span' && division.kind === 'span';
  const width = byName ? division.names.length : Math.max(0, ...prompts.map(({ units }) => units.length));
  const data = new Float64Array(prompts.length * width).fill(NaN);
  prompts.forEach(({ units, values }, row) =>
    units.forEach(({ name }, i) => {
      data[row * width + (byName ? division.names.indexOf(name) : i)] = values[i] as number;
    }),
  );
  return {
    file: 'tokens.npy',
    data,
    shape: [prompts.length, width],
    axes: ['pair', byName ? 'span' : 'position'],
    what: `what each ${byName ? `of ${division.names.join(', ')}` : 'token'} contributes; NaN where a prompt has no such place`,
  };
}

interface Found {
  readonly asked: TokensRequest;
  readonly task: CheckedTask;
  readonly method: TokenMethod;
  readonly setting: TokenSetting;
  readonly attribution: TokenAttribution;
  readonly sidecar: Sidecar;
  readonly stages: Stages;
}

async function recordOf({ model, runtime }: Workbench, found: Found): Promise<TokensRecord> {
  const { asked, task, method, setting, attribution, stages } = found;
  const { prompts, division } = attribution;
  return {
    schemaVersion: 1,
    kind: 'token-attribution',
    versions: { thevenin: packageVersion(), node: process.version, runtime: runtime.info.title },
    model: {
      name: model.config.name === '' ? basename(model.source) : model.config.name,
      weightsSha256: await model.weights.digest(),
    },
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
    method: { key: method.key, title: method.title(setting), reference: method.reference },
    baseline: asked.baseline,
    settings: setting,
    clean: estimateMean(prompts.map(({ clean }) => clean)),
    atBaseline: estimateMean(prompts.map(({ baseline }) => baseline)),
    gap: method.sums ? Math.max(0, ...prompts.map(gapOf)) : null,
    by: division.kind,
    rows: rowsOf(task.examples, attribution),
    prompts: task.examples.map((example, i) =>
      promptRecord(example, prompts[i] as Contributions, { model, baseline: asked.baseline }),
    ),
    perPair: describeSidecar(found.sidecar),
    timings: { startedAt: stages.startedAt.toISOString(), totalSeconds: stages.totalSeconds },
  };
}

const gapOf = ({ values, clean, baseline }: Contributions): number =>
  Math.abs(values.reduce((sum, value) => sum + value, 0) - (clean - baseline));

/** Spans, as what their tokens contribute together; without spans positions, where all prompts are equally long. */
function rowsOf(examples: readonly Example[], { prompts, division }: TokenAttribution): TokenRow[] {
  const lengths = new Set(examples.map(({ clean }) => clean.length));
  if (division.kind === 'position' && lengths.size > 1) return [];
  return division.names.map((name) => {
    const values = examples.flatMap((example, i) => {
      const place = division.of(example).find((unit) => unit.name === name);
      return place === undefined ? [] : [within(prompts[i] as Contributions, place.positions)];
    });
    return { name, ...estimateMean(values) };
  });
}

/** What the units that lie within some positions contribute. */
const within = ({ units, values }: Contributions, positions: readonly number[]): number =>
  units.reduce(
    (sum, unit, i) => sum + (unit.positions.every((one) => positions.includes(one)) ? (values[i] as number) : 0),
    0,
  );

function promptRecord(
  { index, clean, corrupt }: Example,
  contributions: Contributions,
  { model, baseline }: { model: Model; baseline: Baseline },
): PromptRecord {
  const text = (id: number): string | null => model.tokenizer?.tokenText(id) ?? null;
  return {
    index,
    tokens: clean.map((id, position) => {
      const other = corrupt[position] as number;
      const replaced = baseline === 'corrupt' && other !== id;
      return { id, text: text(id), instead: replaced ? (text(other) ?? `${other}`) : null };
    }),
    units: contributions.units.map((unit, i) => ({ ...unit, value: contributions.values[i] as number })),
    clean: contributions.clean,
    baseline: contributions.baseline,
  };
}

/** The record last, so that a folder with a record is complete. */
const writeAll = (out: string, record: TokensRecord, sidecar: Sidecar): Promise<string[]> =>
  writeFiles(out, [
    { file: 'tokens.html', content: tokensPage(record) },
    { file: sidecar.file, content: encodeNpy(sidecar.data, sidecar.shape) },
    recordFile('tokens.json', record, TOKENS_SCHEMA),
  ]);
