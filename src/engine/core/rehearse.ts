/** What work will hold in memory and have to compute, found by going through it on shapes alone before it is begun. */
import { createShapeRuntime } from '../../runtime/shapes/index.js';
import type { Counters } from './counters.js';
import type { Engine, EngineOptions } from './engine.js';

export interface Rehearsal {
  /** the most that tensors take at once, beside the model's weights, bytes */
  readonly bytes: number;
  /** false: it was broken off; work that repeats itself reaches its peak early */
  readonly whole: boolean;
  /** what kernels will have to do, see `workOf`; null: broken off, and it had not said how far it was */
  readonly work: number | null;
  /** what preparing kernels will take that are not prepared yet, see `preparationOf` */
  readonly prepared: number;
}

/** What long work is given: when to stop, and whom to tell how far it is. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export type WatchedWork<T> = (engine: Engine, watch: Watch) => Promise<T>;

/** Kernel runs after which a rehearsal is broken off: about half a second. */
const MOST_RUNS = 5000;

/**
 * Goes through `work` with an engine that computes shapes and no values. It must ask the signal between its steps, as everything
 * long does. Cost: no arithmetic; about half a second at most, and the time that values take which are made outside of kernels.
 */
export async function rehearse(
  engine: Engine,
  options: Partial<EngineOptions>,
  work: WatchedWork<unknown>,
): Promise<Rehearsal> {
  const { runtime, meter } = createShapeRuntime(engine.runtime);
  const stop = new AbortController();
  let runs = 0;
  const prepare = runtime.prepare.bind(runtime);
  const watched: typeof runtime = {
    ...runtime,
    prepare: async (program) => {
      const kernel = await prepare(program);
      const run: typeof kernel.run = (inputs, wanted) => {
        if (++runs > MOST_RUNS) stop.abort(new Enough());
        stop.signal.throwIfAborted();
        return kernel.run(inputs, wanted);
      };
      return { program, run, dispose: () => kernel.dispose() };
    },
  };
  const own = engine.on(watched, options);
  const { counters } = own;
  const told: Told[] = [];
  const onProgress = (done: number, total: number): void =>
    void told.push({ share: done / total, work: counters.work });
  const found = (whole: boolean): Rehearsal => {
    const all = whole ? counters.work : projected(told);
    return { bytes: meter.peak, whole, work: all, prepared: counters.prepared };
  };
  try {
    await work(own, { signal: stop.signal, onProgress });
    return found(true);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return found(false);
  } finally {
    await own.dispose();
  }
}

/** How far work had come, and what had been computed until then. */
interface Told {
  readonly share: number;
  readonly work: Counters['work'];
}

/** On from what has been told, at the pace between the first word and the last. */
export function projected(told: readonly Told[]): number | null {
  const [first, last] = [told.find(({ share }) => share >= 0), told.at(-1)];
  if (!first || !last || last.share <= first.share) return null;
  return last.work + ((last.work - first.work) / (last.share - first.share)) * (1 - last.share);
}

class Enough extends Error {}
