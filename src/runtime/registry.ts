/** Every runtime. Each is imported only when it is asked for. */
import { loadOrRefuse, missingPackages, type Needs } from './peer.js';
import { createTfjsRuntime, TFJS_BACKENDS, type TfjsBackend } from './tfjs/index.js';
import type { Runtime, RuntimeOptions } from './types.js';

export interface RuntimeEntry {
  readonly key: string;
  readonly title: string;
  /** Whether `auto` may take it: if it works, if it works on a graphics card, or never. */
  readonly automatic: 'always' | 'on-gpu' | 'never';
  /** What to do where it works, but on the processor although it is meant for a graphics card. */
  readonly withoutGpu?: string;
  /** Why it cannot even be tried (a package is not installed), or null. */
  missing(): string | null;
  /** @throws TheveninError runtime/unavailable */
  create(options: RuntimeOptions): Promise<Runtime>;
}

const ONNX: Needs = {
  key: 'onnx',
  packages: ['onnxruntime-node@1.30.0'],
  repair: "reinstall Thevenin's packages on this machine (its binary is for one system and processor)",
};

const onnx: RuntimeEntry = {
  key: 'onnx',
  title: 'onnxruntime on the CPU',
  automatic: 'always',
  missing: () => missingPackages(ONNX),
  create: (options) => loadOrRefuse(ONNX, async () => (await import('./onnx/index.js')).createOnnxRuntime(options)),
};

const reference: RuntimeEntry = {
  key: 'reference',
  title: 'float64 loops, for checking the others',
  automatic: 'never',
  missing: () => null,
  create: async () => (await import('./reference/index.js')).createReferenceRuntime(),
};

const fromTfjs = (backend: TfjsBackend): RuntimeEntry => ({
  key: backend.key,
  title: backend.title,
  automatic: backend.withoutGpu === undefined ? 'always' : 'on-gpu',
  ...(backend.withoutGpu === undefined ? {} : { withoutGpu: backend.withoutGpu }),
  missing: () => missingPackages(backend),
  create: (options) => createTfjsRuntime(backend, options),
});

const [tfjsNodeGpu, ...otherTfjs] = TFJS_BACKENDS;

/** In the order in which `auto` tries them: on a graphics card tfjs, on a processor onnx, then what is left, fastest first. */
export const RUNTIMES: readonly RuntimeEntry[] = [fromTfjs(tfjsNodeGpu), onnx, ...otherTfjs.map(fromTfjs), reference];
