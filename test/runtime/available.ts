/** The runtimes that work on this machine, and how near each comes to float64: for tests that must hold on all of them. */
import { existsSync } from 'node:fs';
import { createRuntime, probeRuntimes, type Runtime } from '../../src/runtime/index.js';

/** Largest difference from float64, relative to the largest number of the tensor. */
export interface Tolerance {
  readonly values: number;
  readonly gradients: number;
}

export interface AvailableRuntime {
  readonly key: string;
  readonly onGpu: boolean;
  readonly tolerance: Tolerance;
  readonly create: () => Promise<Runtime>;
}

export interface AbsentRuntime {
  readonly key: string;
  /** what `doctor` says of it */
  readonly reason: string;
}

/** What a float32 runtime is held to; the two CPU libraries sum in blocks and come nearer. */
const FLOAT32: Tolerance = { values: 1e-4, gradients: 1e-3 };

const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  reference: { values: 1e-12, gradients: 1e-12 },
  onnx: { values: 2e-5, gradients: 1e-4 },
  'tfjs-node-gpu': { values: 2e-5, gradients: 1e-4 },
  'tfjs-node': { values: 2e-5, gradients: 1e-4 },
};

/** SwiftShader, a Vulkan in software, as Debian's chromium-common installs it. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** The Vulkan loader (libvulkan1) reads the variable when WebGPU is first used; a driver that the user named stays. */
if (existsSync(SWIFTSHADER)) process.env['VK_ICD_FILENAMES'] ??= SWIFTSHADER;

const PROBES = probeRuntimes();

export async function availableRuntimes(): Promise<AvailableRuntime[]> {
  const works = (await PROBES).filter((one) => one.works);
  return works.map(({ key, onGpu }) => ({
    key,
    onGpu,
    tolerance: TOLERANCES[key] ?? FLOAT32,
    create: () => createRuntime(key, { threads: 1 }),
  }));
}

export async function absentRuntimes(): Promise<AbsentRuntime[]> {
  return (await PROBES).filter((one) => !one.works).map(({ key, note }) => ({ key, reason: note }));
}

/** One `describe` for each runtime that works here, and one skipped test, which says why, for each that does not. */
export async function onEveryRuntime(
  title: string,
  body: (runtime: AvailableRuntime) => void,
  among: (key: string) => boolean = () => true,
): Promise<void> {
  for (const runtime of await availableRuntimes())
    if (among(runtime.key)) describe(`${title} on ${runtime.key}`, () => body(runtime));
  for (const { key, reason } of await absentRuntimes())
    if (among(key)) it.skip(`${title} on ${key} (skipped: ${reason})`);
}
