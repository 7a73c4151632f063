/**
 * Run as a process, `measure-memory.ts METHOD`: what a discovery method was estimated to hold and what the process then held more
 * than before at most, in bytes, as JSON. Many short prompts in a small model: much memory for little arithmetic.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findMethod } from '../../src/attribution/edges/index.js';
import { estimateMemory } from '../../src/attribution/edges/memory.js';
import type { MethodContext } from '../../src/attribution/edges/types.js';
import { Engine } from '../../src/engine/core/engine.js';
import { createRuntime } from '../../src/runtime/index.js';
import { seeded } from '../../src/task/random.js';
import type { Example } from '../../src/task/types.js';
import { contrast } from './engine.js';
import { randomModel } from './models/random-model.js';
import { everyOption } from './options.js';

const SHAPE = { nLayers: 2, nHeads: 4, nKeyValueHeads: 4, dModel: 64, dHead: 16, dMlp: 256, nCtx: 64 };
const [PAIRS, LENGTH] = [1024, 32];

function pairs(count: number): Example[] {
  const random = seeded(1);
  const tokens = (): number[] => Array.from({ length: LENGTH }, () => random.between(0, 9));
  return Array.from({ length: count }, (_, index) => {
    const answers = [contrast(LENGTH - 1, 1, 2)];
    return { index, clean: tokens(), corrupt: tokens(), answers, spans: {}, group: null };
  });
}

/** Bytes that the kernel counts for this process. */
const status = (key: 'VmRSS' | 'VmHWM'): number =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

async function main(key: string): Promise<void> {
  const runtime = await createRuntime('onnx', { threads: 1 });
  const engine = new Engine(randomModel(SHAPE, 1), runtime, { chunkTokens: PAIRS * LENGTH, memoryBytes: 2 ** 34 });
  const method = findMethod(key);
  const context = (examples: readonly Example[]): MethodContext => ({
    ...{ engine, examples, metric: 'logit-difference', signal: new AbortController().signal },
    options: everyOption({ steps: 2, updates: 3, edges: 20 }),
    onProgress: () => undefined,
  });
  const all = pairs(PAIRS);
  const { bytes } = await estimateMemory(method, context(all));
  for (let i = 0; i < 2; i++) await method.run(context(all.slice(0, 4))); // every kernel prepared, all code compiled
  globalThis.gc?.();
  const before = status('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5'); // the peak is counted anew
  await method.run(context(all));
  process.stdout.write(JSON.stringify({ estimated: bytes, measured: status('VmHWM') - before }));
}

const [, script = '', key = ''] = process.argv;
if (fileURLToPath(import.meta.url) === script) await main(key);
