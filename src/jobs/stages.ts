import { performance } from 'node:perf_hooks';
import { formatDuration } from '../duration.js';
import { countsBetween, noCounts, type Counters } from '../engine/core/counters.js';
import type { Engine } from '../engine/core/engine.js';
import { fit, mebibytes } from '../engine/core/fit.js';
import { rehearse, type Rehearsal, type WatchedWork } from '../engine/core/rehearse.js';
import type { ProgressListener } from '../progress.js';
import type { Example } from '../task/types.js';

export interface FinishedStage {
  readonly stage: string;
  readonly seconds: number;
  /** what the engine computed meanwhile */
  readonly counts: Counters;
}

/** How long things take here, as counted in a stage. */
export interface Pace {
  readonly secondsPerWork: number;
  readonly secondsPerPrepared: number;
}

/** Tells how far a stage is; `total` where it turns out to be counted in something else. */
export type Report = (done: number, note?: string, total?: number) => void;

/** A stage whose memory and time are found on shapes before it begins. */
export interface Rehearsed {
  readonly total: number;
  readonly engine: Engine;
  readonly examples: readonly Pick<Example, 'clean'>[];
  /** the stage whose pace the estimate of time is made at */
  readonly pace?: string;
}

/** Times the stages of a run, counts what each computes, and tells whoever watches. */
export class Stages {
  readonly finished: FinishedStage[] = [];
  readonly startedAt = new Date();
  private counters: Counters = noCounts();
  private advice: string | undefined;

  constructor(
    private readonly listener: ProgressListener,
    readonly signal: AbortSignal,
  ) {}

  /** From now on what this engine computes is counted. */
  watch({ counters }: Engine): void {
    this.counters = counters;
  }

  /** What to say where the work is stopped from now on. */
  ifStopped(advice: string | undefined): void {
    this.advice = advice;
  }

  /** Runs one stage; `report` tells how far it is. */
  async run<T>(stage: string, total: number, work: (report: Report) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const started = performance.now();
    const before = { ...this.counters };
    let last = { done: -1, total };
    const report: Report = (done, note, of = last.total) => {
      last = { done, total: of };
      const said = {
        ...(note === undefined ? {} : { note }),
        ...(this.advice === undefined ? {} : { ifStopped: this.advice }),
      };
      this.listener({ stage, done, total: of, ...said });
    };
    report(0);
    const result = await work(report);
    if (last.done !== last.total) report(last.total);
    const seconds = (performance.now() - started) / 1000;
    this.finished.push({ stage, seconds, counts: countsBetween(before, this.counters) });
    return result;
  }

  /**
   * Runs one stage that has been gone through on shapes first: it is cut so that it fits the memory budget, and says beforehand what
   * it will hold and, where a pace is known, how long it will take.
   */
  async rehearsed<T>(stage: string, of: Rehearsed, work: WatchedWork<T>): Promise<T> {
    const { total, engine, examples } = of;
    return this.run(stage, total, async (report) => {
      const longest = Math.max(1, ...examples.map(({ clean }) => clean.length));
      const fitted = await fit(engine, { what: stage, longest }, (limits) => rehearse(engine, limits, work));
      const { memoryBytes } = engine.options;
      const above = fitted.bytes > memoryBytes ? `, above the ceiling of ${mebibytes(memoryBytes)}` : '';
      const note = `${this.describe(fitted, of.pace)}${above}`;
      report(0, note);
      const onProgress = (done: number, of: number): void => report(done, note, of);
      return work(engine.within(fitted.limits), { signal: this.signal, onProgress });
    });
  }

  /** `about 12 s, 80 MiB` */
  describe(rehearsal: Rehearsal, pace: string | undefined): string {
    const seconds = pace === undefined ? null : secondsFor(rehearsal, this.paceOf(pace));
    const time = seconds === null ? '' : `about ${formatDuration(seconds)}, `;
    return `${time}${rehearsal.whole ? 'about' : 'at least'} ${mebibytes(rehearsal.bytes)}`;
  }

  /** How fast the stage of this name was; null: there was none, or it computed nothing. */
  paceOf(stage: string): Pace | null {
    return paceOf(this.finished.filter((one) => one.stage === stage));
  }

  get totalSeconds(): number {
    return (Date.now() - this.startedAt.getTime()) / 1000;
  }
}

/**
 * Seconds in kernels for each unit of work, and of preparation for each unit of that. What else a stage's time goes into (reading
 * files, compiling what runs for the first time, ranking answers) says nothing about another stage.
 */
export function paceOf(stages: readonly FinishedStage[]): Pace | null {
  const sum = (of: keyof Counters): number => stages.reduce((all, { counts }) => all + counts[of], 0);
  const [work, prepared] = [sum('work'), sum('prepared')];
  if (work === 0) return null;
  const secondsPerPrepared = prepared === 0 ? 0 : sum('preparingSeconds') / prepared;
  return { secondsPerWork: sum('kernelSeconds') / work, secondsPerPrepared };
}

/** How long rehearsed work takes at a pace. */
export function secondsFor({ work, prepared }: Pick<Rehearsal, 'work' | 'prepared'>, pace: Pace | null): number | null {
  if (work === null || pace === null) return null;
  return work * pace.secondsPerWork + prepared * pace.secondsPerPrepared;
}
