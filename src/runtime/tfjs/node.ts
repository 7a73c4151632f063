/** tfjs over libtensorflow: `@tensorflow/tfjs-node-gpu` (CUDA) and `@tensorflow/tfjs-node`. */
import { availableParallelism } from 'node:os';
import { requirePackage } from '../peer.js';
import type { RuntimeOptions } from '../types.js';
import type { LoadedBackend, Tf, TfjsBackend } from './types.js';

/** What is read of the backend object that tfjs-node registers. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined` in every op; Node 23 removed it. Put back where it is missing, and only
 * when tfjs-node is about to be loaded; nothing else in Thevenin relies on it.
 */
function restoreRemovedUtilities(): void {
  const util = requirePackage('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/** libtensorflow reads these once, when it starts; what the user has set stays. */
function configure({ threads }: RuntimeOptions): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (threads > 0) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
}

async function load(packageName: string, options: RuntimeOptions): Promise<LoadedBackend> {
  restoreRemovedUtilities();
  configure(options);
  const tf = requirePackage(packageName) as Tf;
  await tf.setBackend('tensorflow');
  const backend: object = tf.backend();
  const { isUsingGpuDevice, binding } = backend as NodeBackend;
  const device = isUsingGpuDevice ? 'GPU' : 'CPU';
  const version = (tf.version as Record<string, string>)['tfjs-node'] ?? tf.version.tfjs;
  return {
    tf,
    name: 'tensorflow',
    title: `${packageName} ${version}, libtensorflow ${binding.TF_Version}, ${device}`,
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism()),
    onGpu: isUsingGpuDevice,
    broadcastsBatches: true,
    faults: [], // errors are thrown where they arise
    repairs: {},
  };
}

const repair =
  'run the install script of its package, or `npm run setup:tfjs-node` in a clone of Thevenin, which takes libtensorflow from a Python wheel';

export const tfjsNodeGpu: TfjsBackend = {
  key: 'tfjs-node-gpu',
  title: 'TensorFlow.js over libtensorflow with CUDA',
  withoutGpu:
    'it finds no graphics card, so auto leaves it alone: for one it needs the driver, and the CUDA and cuDNN of its libtensorflow on LD_LIBRARY_PATH',
  packages: ['@tensorflow/tfjs-node-gpu@4.22.0'],
  repair,
  load: (options) => load('@tensorflow/tfjs-node-gpu', options),
};

export const tfjsNode: TfjsBackend = {
  key: 'tfjs-node',
  title: 'TensorFlow.js over libtensorflow on the CPU',
  packages: ['@tensorflow/tfjs-node@4.22.0'],
  repair,
  load: (options) => load('@tensorflow/tfjs-node', options),
};
