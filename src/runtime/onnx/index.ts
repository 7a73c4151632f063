/** onnxruntime on the CPU: a program becomes an ONNX model in a session of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import { checkConstants, checkRows, checkSize, sizeOf } from '../bind.js';
import type { Runtime, RuntimeOptions, Tensor } from '../types.js';
import { OnnxKernel, type Shared } from './kernel.js';
import { lowerProgram, type LoweredProgram } from './lower.js';
import { KEEPING, Pool } from './pool.js';
import { OnnxTensor, openStack, storedAs } from './tensor.js';

type Ort = typeof import('onnxruntime-node');

export async function createOnnxRuntime({ threads }: RuntimeOptions): Promise<Runtime> {
  const ort = await load();
  const count = threads > 0 ? threads : physicalCores();
  const shared: Shared = { Ort: ort.Tensor, pool: new Pool(), kernels: new Set() };
  return {
    info: {
      key: 'onnx',
      title: `onnxruntime-node ${ort.env.versions.node}, CPU, ${count} thread${count === 1 ? '' : 's'}`,
      precision: 'float32',
      threads: count,
    },
    async prepare(program, constants = {}) {
      checkConstants(program, constants);
      const lowered = lowerProgram(program, constants);
      const session = await openSession(ort, lowered, count);
      const { inputs, outputs, fedShapes } = lowered;
      return new OnnxKernel(shared, session, program, { inputs, outputs, fedShapes });
    },
    tensor: (values, shape, dtype = values instanceof Int32Array ? 'int' : 'float') => {
      checkSize(values.length, shape);
      return new OnnxTensor(ort.Tensor, storedAs(values, dtype), shape);
    },
    rows(tensor, start, end) {
      const { shape, row } = checkRows(tensor.shape, start, end);
      return own(tensor).view(start * row, shape);
    },
    reshape(tensor, shape) {
      checkSize(sizeOf(tensor.shape), shape);
      return own(tensor).view(0, shape);
    },
    keeping: KEEPING,
    stack: (row, capacity) => openStack(shared.Ort, shared.pool, { row, capacity }),
    async dispose() {
      await Promise.all([...shared.kernels].map((kernel) => kernel.dispose()));
      shared.pool.clear();
    },
  };
}

/**
 * Lazily: loading the library takes longer than many a command. Its own reporting to its makers is switched off first, unless
 * the user decided about it.
 */
async function load(): Promise<Ort> {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  const module = (await import('onnxruntime-node')) as Ort & { default?: Ort };
  return module.default ?? module;
}

/**
 * A model is dozens of sessions. An arena each would keep every session's largest activations (10 to 50 MB a block of GPT-2
 * small, for 2 to 5 % of its time), and threads that spin between the calls of one session take the cores from the next:
 * on two busy cores a forward took twice the time.
 */
const FRUGAL = {
  enableCpuMemArena: false,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

function openSession(ort: Ort, { model, external }: LoweredProgram, threads: number): Promise<InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    externalData: external,
    ...FRUGAL,
  });
}

const own = (tensor: Tensor): OnnxTensor => tensor as OnnxTensor;

/** Two hardware threads of one core share its multipliers: more threads than cores only get in each other's way. */
function physicalCores(): number {
  const threads = availableParallelism();
  if (process.platform !== 'linux') return process.arch === 'x64' ? Math.ceil(threads / 2) : threads;
  const cores = new Set(siblings());
  return cores.size === 0 ? threads : Math.min(threads, cores.size);
}

/** Per hardware thread, the list of those on its core. */
function siblings(): string[] {
  try {
    const cpu = '/sys/devices/system/cpu';
    const names = readdirSync(cpu).filter((name) => /^cpu\d+$/.test(name));
    return names.map((name) => readFileSync(`${cpu}/${name}/topology/thread_siblings_list`, 'utf8'));
  } catch {
    return [];
  }
}
