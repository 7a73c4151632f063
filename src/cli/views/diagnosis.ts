/** What `thevenin doctor` prints. */
import type { Diagnosis } from '../../jobs/inspect/doctor.js';
import { bad, good, table } from './table.js';

export const diagnosisLines = ({ node, cpu, cores, memoryBytes, runtimes, gemm }: Diagnosis): string =>
  [
    `Node ${node} · ${cpu} · ${cores} cores · ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`,
    gemm === null ? bad('no runtime works') : `${gemm.gflops.toFixed(0)} GFLOP/s in matrix products (${gemm.runtime})`,
    '',
    table(
      ['runtime', 'works', ''],
      runtimes.map(({ key, works, note }) => [key, works ? good('yes') : bad('no'), note]),
    ),
  ].join('\n');
