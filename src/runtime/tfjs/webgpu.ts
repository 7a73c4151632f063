/** tfjs over WebGPU, which in Node is the package `webgpu` (Dawn over Vulkan, Metal or Direct3D 12). */
import { firstLine, requirePackage } from '../peer.js';
import type { LoadedBackend, Tf, TfjsBackend } from './types.js';
import { webgpuRepairs } from './webgpu-repairs.js';

const PACKAGE = '@tensorflow/tfjs-backend-webgpu';
const DAWN: string = 'webgpu'; // a variable, so that type checking does not need the optional package

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
}

interface Gpu {
  requestAdapter(): Promise<{ readonly info: AdapterInfo } | null>;
}

interface Device {
  addEventListener(type: 'uncapturederror', listener: (event: { readonly error: Error }) => void): void;
}

interface DawnPackage {
  readonly create: (flags: readonly string[]) => Gpu;
  /** GPUBufferUsage and the like, which the backend reads as globals */
  readonly globals: object;
}

/** The browser's `navigator.gpu`, put where tfjs looks for it. Once per process: Dawn's instances hold the device. */
async function installGpu(): Promise<Gpu> {
  const scope = globalThis as { navigator?: { gpu?: Gpu } };
  if (scope.navigator?.gpu) return scope.navigator.gpu;
  const { create, globals } = (await import(DAWN)) as DawnPackage;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (!scope.navigator) scope.navigator = {}; // Node 20 has none, 21 and later have one without gpu
  Object.defineProperty(scope.navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
}

function collectFaults(device: Device): string[] {
  const faults: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => faults.push(firstLine(error)));
  return faults;
}

async function load(): Promise<LoadedBackend> {
  const gpu = await installGpu();
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info;
  const tf = requirePackage('@tensorflow/tfjs') as Tf;
  requirePackage(PACKAGE);
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs refused its webgpu backend');
  tf.env().set('WEBGPU_CPU_FORWARD', false); // else small tensors silently go to tfjs's cpu backend
  const backend: object = tf.backend();
  const card = [vendor, architecture, description].filter((part) => part !== '').join(' ');
  return {
    tf,
    name: 'webgpu',
    title: `${PACKAGE} ${tf.version.tfjs}, ${card}`,
    threads: 1,
    onGpu: !/swiftshader|llvmpipe/i.test(card),
    broadcastsBatches: false,
    faults: collectFaults((backend as { device: Device }).device),
    repairs: webgpuRepairs(tf),
  };
}

export const tfjsWebgpu: TfjsBackend = {
  key: 'tfjs-webgpu',
  title: 'TensorFlow.js over WebGPU',
  withoutGpu: 'its Vulkan driver is a software one, so auto leaves it alone: install the driver of the graphics card',
  packages: ['@tensorflow/tfjs@4.22.0', `${PACKAGE}@4.22.0`, 'webgpu@0.6.2'],
  repair: 'it needs a graphics driver (on Linux libvulkan.so.1 and a Vulkan driver, e.g. mesa-vulkan-drivers)',
  load,
};
