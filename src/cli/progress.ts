/** Progress on the terminal: a bar where someone watches, one line per finished stage in a log. Both on standard error. */
import { performance } from 'node:perf_hooks';
import type { SingleBar } from 'cli-progress';
import { printable } from '../printable.js';
import type { ProgressEvent, ProgressListener } from '../progress.js';

export interface ProgressView {
  readonly listener: ProgressListener;
  /** Leaves the terminal as it was; later events are dropped. */
  readonly close: () => void;
}

interface Stream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const STAGE_WIDTH = 26;
const BAR_WIDTH = 16;

/** `12 ms`, `1.2 s`, `3 min 05 s` */
export const formatDuration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
};

/** To a column, never touching what follows. */
const padded = (stage: string): string => `${stage.padEnd(STAGE_WIDTH - 2)}  `;

const count = ({ done, total }: ProgressEvent): string => (total > 0 ? `${done}/${total}` : `${done}`);

/** `  EAP-IG, 5 midpoints       64/64  1.2 s  note` */
export const formatStage = (event: ProgressEvent, ms: number): string => {
  const note = event.note === undefined ? '' : `  ${event.note}`;
  return printable(`  ${padded(event.stage)}${count(event)}  ${formatDuration(ms)}${note}`);
};

/** Calls back when a stage begins and when it ends: at its total, or when the next one begins. */
const trackStages = (onUpdate: (event: ProgressEvent) => void, onEnd: (event: ProgressEvent, ms: number) => void) => {
  let current: ProgressEvent | undefined;
  let startedAt = 0;
  const end = (): void => {
    if (current === undefined) return;
    onEnd(current, performance.now() - startedAt);
    current = undefined;
  };
  const take = (event: ProgressEvent): void => {
    if (current?.stage !== event.stage) {
      end();
      startedAt = performance.now();
    }
    current = event;
    onUpdate(event);
    if (event.total > 0 && event.done >= event.total) end();
  };
  return { take, end };
};

const plainLines = (stream: Stream): ProgressView => {
  const stages = trackStages(
    () => undefined,
    (event, ms) => void stream.write(`${formatStage(event, ms)}\n`),
  );
  return { listener: stages.take, close: stages.end };
};

const bar = async (stream: Stream & NodeJS.WriteStream): Promise<ProgressView> => {
  const { default: cliProgress } = await import('cli-progress');
  const format = `  {stage}{bar} {value}/{total}  {eta_formatted} left  {note}`;
  const settings = {
    format,
    barsize: BAR_WIDTH,
    stream,
    hideCursor: true,
    clearOnComplete: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  };
  let shown: SingleBar | undefined;
  const hide = (): void => {
    shown?.stop();
    shown = undefined;
  };
  const update = (event: ProgressEvent): void => {
    const payload = { stage: padded(event.stage), note: event.note ?? '' };
    if (shown === undefined) {
      shown = new cliProgress.SingleBar(settings);
      shown.start(event.total, event.done, payload);
    } else shown.update(event.done, payload);
  };
  const finish = (event: ProgressEvent, ms: number): void => {
    hide();
    stream.write(`${formatStage(event, ms)}\n`);
  };
  const stages = trackStages(update, finish);
  return { listener: stages.take, close: stages.end };
};

/** @param watched whether a person may be looking: a terminal, and not a CI job's log */
export const createProgressView = (stream: NodeJS.WriteStream, watched: boolean): Promise<ProgressView> =>
  watched ? bar(stream) : Promise.resolve(plainLines(stream));

export const isWatched = (stream: Stream, environment: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && (environment['CI'] ?? '') === '' && environment['TERM'] !== 'dumb';
