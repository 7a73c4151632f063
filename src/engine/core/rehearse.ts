/** What work will hold in memory, found by going through it on shapes alone before it is begun. */
import { createShapeRuntime } from '../../runtime/shapes/index.js';
import type { Engine, EngineOptions } from './engine.js';

export interface Rehearsal {
  /** the most that tensors take at once, beside the model's weights, bytes */
  readonly bytes: number;
  /** false: it was broken off; work that repeats itself reaches its peak early */
  readonly whole: boolean;
}

/** Kernel runs after which a rehearsal is broken off: about half a second. */
const MOST_RUNS = 5000;

/**
 * Goes through `work` with an engine that computes shapes and no values. It must ask the signal between its steps, as everything
 * long does. Cost: no arithmetic; about half a second at most, and the time that values take which are made outside of kernels.
 */
export async function rehearse(
  engine: Engine,
  options: Partial<EngineOptions>,
  work: (engine: Engine, signal: AbortSignal) => Promise<unknown>,
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
  try {
    await work(own, stop.signal);
    return { bytes: meter.peak, whole: true };
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return { bytes: meter.peak, whole: false };
  } finally {
    await own.dispose();
  }
}

class Enough extends Error {}
