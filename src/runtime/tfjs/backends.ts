import { tfjsNode, tfjsNodeGpu } from './node.js';
import type { TfjsBackend } from './types.js';
import { tfjsWasm } from './wasm.js';
import { tfjsWebgpu } from './webgpu.js';

/** Every way to run tfjs, fastest first. */
export const TFJS_BACKENDS: readonly [TfjsBackend, ...TfjsBackend[]] = [tfjsNodeGpu, tfjsNode, tfjsWebgpu, tfjsWasm];
