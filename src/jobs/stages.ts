import type { ProgressListener } from '../progress.js';

/** Times the stages of a run and tells whoever watches. */
export class Stages {
  readonly finished: { stage: string; seconds: number }[] = [];
  readonly startedAt = new Date();
  /** seconds per unit of the last stage once it was under way: what it took to get started is left out */
  pace = 0;

  constructor(
    private readonly listener: ProgressListener,
    readonly signal: AbortSignal,
  ) {}

  /** Runs one stage; `report` tells how far it is. */
  async run<T>(
    stage: string,
    total: number,
    work: (report: (done: number, note?: string) => void) => Promise<T>,
  ): Promise<T> {
    this.signal.throwIfAborted();
    const started = performance.now();
    let last = -1;
    let first: { readonly done: number; readonly at: number } | null = null;
    const report = (done: number, note?: string): void => {
      last = done;
      if (done > 0) first ??= { done, at: performance.now() };
      this.listener({ stage, done, total, ...(note === undefined ? {} : { note }) });
    };
    report(0);
    const result = await work(report);
    if (last !== total) report(total);
    this.pace = paceOf(total, started, first);
    this.finished.push({ stage, seconds: (performance.now() - started) / 1000 });
    return result;
  }

  get totalSeconds(): number {
    return (Date.now() - this.startedAt.getTime()) / 1000;
  }
}

function paceOf(total: number, started: number, first: { readonly done: number; readonly at: number } | null): number {
  const now = performance.now();
  const [since, units] = first && first.done < total ? [first.at, total - first.done] : [started, total];
  return (now - since) / 1000 / Math.max(1, units);
}
