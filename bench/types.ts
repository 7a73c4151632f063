import type { Session } from '../src/engine/questions/session.js';
import type { Workload } from './workload.js';

export interface BenchContext {
  /** fewer repeats and samples, for a first look */
  readonly quick: boolean;
  readonly workload: Workload;
  /** both prompts run and kept, as a question finds them */
  readonly session: Session;
}

/** Something to time, in units of the plain forward or of what `unit` says. */
export interface Work {
  run(): Promise<unknown>;
  /** how many of the row's units one run stands for; the row's figure is its time divided by it */
  readonly share?: number;
}

/** One line of the table. `ratio` is what `limit` bounds. */
export type Row = TimedRow | ProcessRow;

interface RowBase {
  readonly name: string;
  /** the most it may be */
  readonly limit: number;
  /** what `ratio` counts: × a plain forward, GiB, s */
  readonly unit: string;
}

/** Timed in the bench's own process, alternating with what it is compared with. */
export interface TimedRow extends RowBase {
  readonly kind: 'timed';
  prepare(context: BenchContext): Promise<Work>;
  /** what one unit is; default the plain forward */
  readonly beside?: (context: BenchContext) => Promise<Work>;
}

/** Measured on processes of its own. */
export interface ProcessRow extends RowBase {
  readonly kind: 'process';
  measure(context: { readonly quick: boolean }): Promise<number>;
}

export interface Result {
  readonly name: string;
  readonly ratio: number;
  readonly limit: number;
  readonly holds: boolean;
}
