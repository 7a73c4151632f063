/** tfjs over WebAssembly, one thread in Node: runs wherever Node does. */
import { dirname, sep } from 'node:path';
import { fileInPackage, requirePackage } from '../peer.js';
import type { LoadedBackend, Tf, TfjsBackend } from './types.js';

const PACKAGE = '@tensorflow/tfjs-backend-wasm';

interface WasmPackage {
  setWasmPaths(folder: string): void;
  readonly version_wasm: string;
}

async function load(): Promise<LoadedBackend> {
  const tf = requirePackage('@tensorflow/tfjs') as Tf;
  const wasm = requirePackage(PACKAGE) as WasmPackage;
  wasm.setWasmPaths(dirname(fileInPackage(`${PACKAGE}/wasm-out/tfjs-backend-wasm.wasm`)) + sep);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs refused its wasm backend');
  return {
    tf,
    name: 'wasm',
    title: `${PACKAGE} ${wasm.version_wasm}, CPU, 1 thread`,
    threads: 1,
    onGpu: false,
    broadcastsBatches: false,
    faults: [], // errors are thrown where they arise
    repairs: {},
  };
}

export const tfjsWasm: TfjsBackend = {
  key: 'tfjs-wasm',
  title: 'TensorFlow.js over WebAssembly',
  packages: ['@tensorflow/tfjs@4.22.0', `${PACKAGE}@4.22.0`],
  repair: 'reinstall its packages',
  load,
};
