/**
 * Progress on standard error: a bar where someone watches; in a log one line per finished stage, before it what a stage will cost
 * where that is known, and a line now and then while it lasts.
 */
import { performance } from 'node:perf_hooks';
import type { SingleBar } from 'cli-progress';
import { printable } from '../printable.js';
import { formatDuration } from '../duration.js';
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

/** To a column, never touching what follows. */
const padded = (stage: string): string => `${stage.padEnd(STAGE_WIDTH - 2)}  `;

const count = ({ done, total }: ProgressEvent): string => (total > 0 ? `${done}/${total}` : `${done}`);

const noteOf = ({ note }: ProgressEvent): string => (note === undefined ? '' : `  ${note}`);

/** `  EAP-IG, 5 midpoints       64/64  1.2 s  note` */
export const formatStage = (event: ProgressEvent, ms: number): string =>
  printable(`  ${padded(event.stage)}${count(event)}  ${formatDuration(ms / 1000)}${noteOf(event)}`);

/** At the pace so far; empty where nothing is done yet or no end is known. */
export const formatLeft = ({ done, total }: ProgressEvent, ms: number): string =>
  done > 0 && done < total ? `about ${formatDuration(((ms / 1000) * (total - done)) / done)} left` : '';

interface Watched {
  readonly onUpdate: (event: ProgressEvent, ms: number) => void;
  readonly onEnd: (event: ProgressEvent, ms: number) => void;
}

/** Calls back when a stage goes on and when it ends: at its total, or when the next one begins. */
const trackStages = ({ onUpdate, onEnd }: Watched, now: () => number) => {
  let current: ProgressEvent | undefined;
  let startedAt = 0;
  const end = (): void => {
    if (current === undefined) return;
    onEnd(current, now() - startedAt);
    current = undefined;
  };
  const take = (event: ProgressEvent): void => {
    if (current?.stage !== event.stage) {
      end();
      startedAt = now();
    }
    current = event;
    onUpdate(event, now() - startedAt);
    if (event.total > 0 && event.done >= event.total) end();
  };
  return { take, end };
};

/** Between two lines about the same stage in a log: never more often. */
const LINE_EVERY_MS = 30_000;

const plainLines = (stream: Stream, now: () => number): ProgressView => {
  let told: { readonly stage: string; readonly at: number } | undefined;
  const onUpdate = (event: ProgressEvent, ms: number): void => {
    const { stage, done, total, note } = event;
    const announced = told?.stage === stage;
    if (!announced && done === 0 && note !== undefined && total > 0) {
      told = { stage, at: ms };
      stream.write(`${printable(`  ${padded(stage)}${note}`)}\n`);
    } else if (ms - (announced ? (told?.at ?? 0) : 0) >= LINE_EVERY_MS && done < total) {
      told = { stage, at: ms };
      const left = formatLeft(event, ms);
      stream.write(`${formatStage(event, ms)}${left === '' ? '' : `  ${left}`}\n`);
    }
  };
  const onEnd = (event: ProgressEvent, ms: number): void => {
    told = undefined;
    stream.write(`${formatStage(event, ms)}\n`);
  };
  const stages = trackStages({ onUpdate, onEnd }, now);
  return { listener: stages.take, close: stages.end };
};

const bar = async (stream: Stream & NodeJS.WriteStream, now: () => number): Promise<ProgressView> => {
  const { default: cliProgress } = await import('cli-progress');
  const format = `  {stage}{bar} {value}/{total}  {left}  {note}`;
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
  const update = (event: ProgressEvent, ms: number): void => {
    const payload = { stage: padded(event.stage), note: event.note ?? '', left: formatLeft(event, ms) };
    if (shown === undefined) {
      shown = new cliProgress.SingleBar(settings);
      shown.start(event.total, event.done, payload);
    } else {
      shown.setTotal(event.total);
      shown.update(event.done, payload);
    }
  };
  const finish = (event: ProgressEvent, ms: number): void => {
    hide();
    stream.write(`${formatStage(event, ms)}\n`);
  };
  const stages = trackStages({ onUpdate: update, onEnd: finish }, now);
  return { listener: stages.take, close: stages.end };
};

/**
 * @param watched whether a person may be looking: a terminal, and not a CI job's log
 * @param now a clock, milliseconds
 */
export const createProgressView = (
  stream: NodeJS.WriteStream,
  watched: boolean,
  now: () => number = () => performance.now(),
): Promise<ProgressView> => (watched ? bar(stream, now) : Promise.resolve(plainLines(stream, now)));

export const isWatched = (stream: Stream, environment: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && (environment['CI'] ?? '') === '' && environment['TERM'] !== 'dumb';
