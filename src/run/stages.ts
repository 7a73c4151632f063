import type { ProgressListener } from '../progress.js';

/** Times the stages of a run and tells whoever watches. */
export class Stages {
  readonly finished: { stage: string; seconds: number }[] = [];
  readonly startedAt = new Date();

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
    const report = (done: number, note?: string): void => {
      last = done;
      this.listener({ stage, done, total, ...(note === undefined ? {} : { note }) });
    };
    report(0);
    const result = await work(report);
    if (last !== total) report(total);
    this.finished.push({ stage, seconds: (performance.now() - started) / 1000 });
    return result;
  }

  get totalSeconds(): number {
    return (Date.now() - this.startedAt.getTime()) / 1000;
  }
}
