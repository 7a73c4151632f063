/** What a method is estimated to hold is what it holds; over budget it goes on with less at once. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { METHODS } from '../../../src/attribution/edges/index.js';
import { estimateMemory, fitMemory } from '../../../src/attribution/edges/memory.js';
import { noCounts } from '../../../src/engine/core/counters.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import { batchOf, expectNear, withEngine } from '../../helpers/engine.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { skipWithout } from '../../helpers/shared.js';
import { pairAt } from '../../engine/scene.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

const MEASURE = fileURLToPath(new URL('../../helpers/measure-memory.ts', import.meta.url));
/** Below this what a process holds says nothing: its own housekeeping is as large. */
const TELLING_BYTES = 64 * 2 ** 20;
/** Freed memory goes back to the system at once, so that what the process has is what it holds. */
const FRANK = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** Where Linux lets a process count its peak anew. */
const COUNTS = '/proc/self/clear_refs';

const EXAMPLES = batchOf(Array.from({ length: 24 }, (_, i) => pairAt(2, i))).examples;
const eapIg = METHODS[0]!;

describe('memory of discovery methods', () => {
  let runtime: Runtime;
  before(async () => void (runtime = await createRuntime('onnx', { threads: 1 })));
  after(() => runtime.dispose());

  const context = (engine: Engine, more: Partial<EveryContext> = {}): EveryContext => ({
    ...{ engine, examples: EXAMPLES, metric: 'logit-difference', signal: new AbortController().signal },
    options: everyOption({ steps: 3, updates: 2, edges: 4 }),
    onProgress: () => undefined,
    ...more,
  });
  const onModel = <T>(work: (engine: Engine) => Promise<T>): Promise<T> =>
    withEngine({ model: randomModel({ dVocab: 11, dVocabOut: 11 }, 1), runtime }, work);

  for (const method of METHODS)
    it(`${method.key}: a process holds what was estimated, within a quarter`, async function () {
      this.timeout(120_000);
      skipWithout(
        this,
        existsSync(COUNTS) ? COUNTS : null,
        'what a process holds at most is read from /proc, of Linux',
      );
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--expose-gc', '--import', 'tsx', MEASURE, method.key],
        { env: { ...process.env, ...FRANK } },
      );
      const { estimated, measured } = JSON.parse(stdout) as { estimated: number; measured: number };
      if (measured < TELLING_BYTES) expect(estimated).to.be.below(1.25 * TELLING_BYTES);
      else expect(estimated / measured).to.be.within(0.75, 1.25);
    });

  it('an estimate computes nothing, and says the same whenever it is asked', () =>
    onModel(async (engine) => {
      for (const method of METHODS) {
        const first = await estimateMemory(method, context(engine));
        expect(first, method.key).to.deep.equal(await estimateMemory(method, context(engine)));
      }
      expect(engine.counters).to.deep.equal(noCounts());
    }));

  it('over budget, less is run at once, with the same result', () =>
    onModel(async (engine) => {
      const whole = await eapIg.run(context(engine));
      const { bytes } = await estimateMemory(eapIg, context(engine));
      const memoryBytes = Math.floor(bytes / 4);
      engine.limit({ memoryBytes });
      const before = engine.options;
      const fitted = await fitMemory(eapIg, context(engine));
      expect(fitted.bytes).to.be.at.most(memoryBytes);
      expect(engine.options, 'what follows is cut as before').to.deep.equal(before);
      const pieces = await eapIg.run(context(engine.within(fitted.limits)));
      expect(pieces.plan.perChunk).to.be.below(whole.plan.perChunk);
      expectNear(pieces.scores.mean, whole.scores.mean, 1e-5);
    }));

  it('refuses what does not fit one pair at a time', () =>
    onModel(async (engine) => {
      engine.limit({ memoryBytes: 2000 });
      const message = await fitMemory(eapIg, context(engine)).catch((error: Error) => error.message);
      expect(message).to.match(/eap-ig needs about .* even with one pair of 6 tokens at a time, of .*--memory/);
    }));
});
