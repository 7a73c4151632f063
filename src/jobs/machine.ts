import { measureGemm, TYPICAL_GEMM } from '../runtime/gemm.js';
import { createRuntime } from '../runtime/index.js';

/** The runtime that will be used and how fast it multiplies matrices here. Cost: a third of a second. */
export async function measureMachine(of: {
  readonly runtime: string;
  readonly threads: number | undefined;
}): Promise<{ title: string; gflops: number }> {
  const runtime = await createRuntime(of.runtime, { threads: of.threads ?? 0 });
  try {
    return { title: runtime.info.title, gflops: await measureGemm(runtime, { ...TYPICAL_GEMM, seconds: 0.3 }) };
  } finally {
    await runtime.dispose();
  }
}
