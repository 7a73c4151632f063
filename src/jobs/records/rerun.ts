/** Runs again what a record says was asked, and holds what comes out to the record. */
import { resolve } from 'node:path';
import { refuse } from '../../errors.js';
import type { JobOptions } from '../job.js';
import { compareRuns, type Comparison } from './differences.js';
import { RECORDED_JOBS } from './jobs.js';
import { openRun } from './open.js';

export interface RerunRequest {
  /** folder of the second run; undefined: it is not written */
  readonly out?: string | undefined;
  /** replaces the run that this folder holds */
  readonly overwrite?: boolean | undefined;
  /** where model and task (or facts) are now, and the runtime; undefined: as the record has them */
  readonly model?: string | undefined;
  readonly task?: string | undefined;
  readonly runtime?: string | undefined;
  /** how far numbers may be apart, as a share of the largest of their kind */
  readonly tolerance?: number;
}

export interface Rerun extends Comparison {
  /** the run's kind: report, patching, nodes … */
  readonly kind: string;
  readonly tolerance: number;
  /** files of the second run, the page first; empty without `out` */
  readonly written: readonly string[];
}

/** What float32 arithmetic leaves open between machines; one machine gives the same bytes. */
export const TOLERANCE = 1e-4;

/**
 * Runs a run again from its record.
 * @throws TheveninError report/record, report/request: the record does not hold what was asked; whatever the job refuses
 */
export async function rerun(run: string, asked: RerunRequest = {}, options: JobOptions = {}): Promise<Rerun> {
  const { dir, folder, saved } = await openRun(run);
  const { out, overwrite, tolerance = TOLERANCE } = asked;
  const { request } = saved.record as { readonly request?: Readonly<Record<string, unknown>> };
  if (request === undefined)
    return refuse(
      'report/request',
      `${run}: its record does not hold what was asked, as it was written by a version of Thevenin that did not keep it; run the command again`,
    );
  if (out !== undefined && resolve(out) === resolve(dir))
    refuse('cli/usage', `${out} is the folder of the run itself; choose another one for the second run with --out`);
  const job = await RECORDED_JOBS[folder.key]!();
  const result = await job({ ...request, ...movedTo(request, asked), out, overwrite } as never, options);
  return { kind: folder.key, tolerance, ...compareRuns(saved, result, tolerance), written: result.written };
}

/** What is named otherwise than it was. */
function movedTo(request: object, { model, task, runtime }: RerunRequest): Readonly<Record<string, string>> {
  const named = [
    ['model', model],
    ['facts' in request ? 'facts' : 'task', task],
    ['runtime', runtime],
  ] as const;
  return Object.fromEntries(named.filter((one): one is [(typeof one)[0], string] => one[1] !== undefined));
}
