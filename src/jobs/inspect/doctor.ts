/** What this machine can do: which runtimes work, and how fast it multiplies matrices. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { measureGemm } from '../../runtime/gemm.js';
import { createRuntime, probeRuntimes } from '../../runtime/index.js';
import type { RuntimeProbe } from '../../runtime/index.js';

export interface Diagnosis {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly runtimes: readonly RuntimeProbe[];
  /** of the runtime that `auto` takes; null when none works */
  readonly gemm: { readonly runtime: string; readonly gflops: number } | null;
}

const measureAuto = async (): Promise<Diagnosis['gemm']> => {
  const runtime = await createRuntime('auto');
  try {
    return { runtime: runtime.info.title, gflops: await measureGemm(runtime) };
  } finally {
    await runtime.dispose();
  }
};

/** A broken runtime is not an error here: it is what is told. */
export const diagnose = async (): Promise<Diagnosis> => {
  const runtimes = await probeRuntimes();
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    runtimes,
    gemm: runtimes.some(({ works }) => works) ? await measureAuto() : null,
  };
};
