/** What every job does around its work: defaults, model and runtime, stages, the head of the record, the folder, cancelling. */
import { basename } from 'node:path';
import { packageVersion } from '../package.js';
import type { ProgressListener } from '../progress.js';
import type { RunFolder } from '../report/folders/types.js';
import type { Sidecar } from '../report/sidecar.js';
import type { ListFile } from '../report/view.js';
import { writeRun } from '../report/write.js';
import { askedOf, type Takes } from './asked.js';
import type { Pairs } from './pairs.js';
import { Stages } from './stages.js';
import { withWorkbench, type Workbench } from './workbench.js';

export interface JobOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface JobResult<Kept extends object> {
  readonly record: Kept;
  readonly sidecars: readonly Sidecar[];
  /** what the record shows in part: all pairs, where they are many */
  readonly lists: readonly ListFile[];
  /** files written, the page first; empty without `out` */
  readonly written: readonly string[];
}

/** What every request has. */
export interface JobRequest {
  readonly model: string;
  /** folder of the result; undefined: nothing is written */
  readonly out: string | undefined;
  /** replaces the run that the folder holds */
  readonly overwrite?: boolean | undefined;
  readonly runtime: string;
  readonly threads: number | undefined;
  /** bytes; undefined: a share of the machine's */
  readonly memory: number | undefined;
}

/** What a record says of how it came about; a job that says more of it says so itself. */
type Head = 'schemaVersion' | 'request' | 'versions' | 'model' | 'pairs' | 'timings';

type Body<Kept> = Omit<Kept, Head> & { readonly [Key in Exclude<Head, 'request' | 'pairs'> & keyof Kept]?: Kept[Key] };

export interface Found<Kept extends object> {
  readonly record: Body<Kept>;
  readonly sidecars: readonly Sidecar[];
  /** what the run was asked about; undefined: the record says it otherwise */
  readonly pairs?: Pairs;
}

/** The work itself, once model and runtime are open. */
export type Work<Kept extends object> = (bench: Workbench, stages: Stages) => Promise<Found<Kept>>;

interface JobSpec<Asked extends JobRequest, Kept extends object, Needed extends keyof Asked & string> extends Takes<
  Asked,
  Needed
> {
  /** what it leaves behind */
  readonly folder: RunFolder<Kept>;
  /** What the defaults of other things come to, once those are chosen; it stands in the record, as all that was asked. */
  readonly complete?: (asked: Asked) => Asked;
  /** Refuses what makes no sense with any model, reads what is named, and says what is to be done. */
  readonly prepare: (asked: Asked) => Work<Kept> | Promise<Work<Kept>>;
}

/** @throws TheveninError for every fault of the input, before any compute */
export type Job<Asked, Kept extends object, Needed extends keyof Asked> = (
  request: Partial<Asked> & Pick<Asked, Needed>,
  options?: JobOptions,
) => Promise<JobResult<Kept>>;

export const job =
  <Asked extends JobRequest, Kept extends object, Needed extends keyof Asked & string>(
    spec: JobSpec<Asked, Kept, Needed>,
  ): Job<Asked, Kept, Needed> =>
  async (request, options = {}) => {
    const given = askedOf({ ...spec, also: [...(spec.also ?? []), 'overwrite'] }, request);
    const asked = spec.complete?.(given) ?? given;
    const stages = new Stages(options.onProgress ?? (() => undefined), options.signal ?? new AbortController().signal);
    const work = await spec.prepare(asked);
    return withWorkbench(asked, async (bench) => {
      stages.watch(bench.engine);
      const found = await work(bench, stages);
      const head = await headOf(bench, stages);
      // the record's schema is held to it before it is written
      const { record: body, sidecars, pairs } = found;
      const shown = pairs === undefined ? {} : { pairs: pairs.record };
      const record = { ...head, request: kept(asked), ...body, ...shown } as object as Kept;
      const saved = { record, sidecars, lists: pairs?.lists ?? [] };
      stages.signal.throwIfAborted();
      return { ...saved, written: await writeRun(asked, spec.folder, saved) };
    });
  };

const headOf = async ({ model, runtime }: Workbench, { startedAt, totalSeconds }: Stages): Promise<object> => ({
  schemaVersion: 1,
  versions: { thevenin: packageVersion(), node: process.version, runtime: runtime.info.title },
  model: {
    name: model.config.name === '' ? basename(model.source) : model.config.name,
    weightsSha256: await model.weights.digest(),
    tokenizerSha256: model.tokenizer?.digest ?? null,
  },
  timings: { startedAt: startedAt.toISOString(), totalSeconds },
});

/** Where a run is written, and what it goes on from, is no part of what it was asked. */
const APART: readonly string[] = ['out', 'journal', 'overwrite'];

const kept = (asked: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(asked).filter(([key, value]) => value !== undefined && !APART.includes(key)));
