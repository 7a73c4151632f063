/** What the tokens of a task's prompts contribute to its metric: values, their record and their page. */
import { methodRecord } from '../../attribution/method.js';
import { optionKeys, readOptions, sharedOptions, type Options } from '../../attribution/options.js';
import {
  findTokenMethod,
  TOKEN_METHODS,
  type Baseline,
  type TokenMethod,
  type TokenOptions,
} from '../../attribution/tokens/index.js';
import { attributeTokens, type Contributions, type TokenAttribution } from '../../attribution/tokens/tokens.js';
import { estimateMean } from '../../evaluation/statistics/intervals.js';
import type { Model } from '../../model/types.js';
import { TOKENS } from '../../report/folders/tokens.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import type { PromptRecord, TokenRow, TokensRecord } from '../../report/records/tokens.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import { openTask, type TaskRequest } from '../workbench.js';

/** What `thevenin tokens` is asked, with the options of the methods beside its own. Only task and model have no default. */
export interface TokensRequest extends Omit<TaskRequest, 'split'>, JobRequest, Omit<TokenOptions, 'seed'> {
  readonly method: string;
  readonly baseline: Baseline;
  /** undefined: those that every prompt has */
  readonly spans: readonly string[] | undefined;
}

const DEFAULTS: Omit<TokensRequest, 'task' | 'model'> = {
  out: undefined,
  method: 'ig',
  baseline: 'corrupt',
  spans: undefined,
  examples: undefined,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export type TokensResult = JobResult<TokensRecord>;

/** Attributes the metric to the tokens or spans of every pair's clean prompt. */
export const tokens = job<TokensRequest, TokensRecord, 'task' | 'model'>({
  name: 'tokens',
  folder: TOKENS,
  defaults: DEFAULTS,
  needs: ['task', 'model'],
  also: optionKeys(TOKEN_METHODS),
  complete: (asked) => ({ ...asked, ...optionsOf(asked) }),
  prepare: (asked) => {
    const method = findTokenMethod(asked.method);
    const options = optionsOf(asked);
    const { baseline, spans } = asked;
    return async ({ model, engine }, stages) => {
      const { task } = await openTask(model, { ...asked, split: false });
      const question = { method, options, baseline, spans, metric: task.metric };
      const of = { engine, examples: task.examples, total: task.examples.length };
      const attribution = await stages.rehearsed(method.title(options), of, (own, watch) =>
        attributeTokens(own, task.examples, { ...question, ...watch }),
      );
      const sidecar = sidecarOf(attribution, method);
      return { record: recordOf(model, { asked, task, method, options, attribution, sidecar }), sidecars: [sidecar] };
    };
  },
});

const optionsOf = (asked: TokensRequest): Options =>
  readOptions(findTokenMethod(asked.method), { ...asked }, { methods: TOKEN_METHODS });

/** What the options of all methods are by themselves: the record has a place for each. */
const DECLARED = Object.fromEntries(
  sharedOptions(TOKEN_METHODS).map(({ key, schema }) => [key, schema.default as unknown]),
) as Omit<TokensRecord['settings'], 'seed'>;

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

interface Attributed {
  readonly asked: TokensRequest;
  readonly task: CheckedTask;
  readonly method: TokenMethod;
  readonly options: Options;
  readonly attribution: TokenAttribution;
  readonly sidecar: Sidecar;
}

function recordOf(model: Model, found: Attributed): Found<TokensRecord>['record'] {
  const { asked, task, method, options, attribution } = found;
  const { prompts, division } = attribution;
  return {
    kind: 'token-attribution',
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
    method: methodRecord(method, options),
    baseline: asked.baseline,
    settings: { ...DECLARED, ...options, seed: asked.seed },
    clean: estimateMean(prompts.map(({ clean }) => clean)),
    atBaseline: estimateMean(prompts.map(({ baseline }) => baseline)),
    gap: method.sums ? Math.max(0, ...prompts.map(gapOf)) : null,
    by: division.kind,
    rows: rowsOf(task.examples, attribution),
    prompts: task.examples.map((example, i) =>
      promptRecord(example, prompts[i] as Contributions, { model, baseline: asked.baseline }),
    ),
    perPair: describeSidecar(found.sidecar),
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
