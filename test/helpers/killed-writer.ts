/** Run as a process: writes a small report over the run that the folder holds, and is killed just before its n-th step on the disk. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [, , dir = '', step = ''] = process.argv;
let steps = 0;
const counted =
  <Given extends unknown[]>(work: (...given: Given) => Promise<void>) =>
  (...given: Given): Promise<void> => {
    if (++steps === Number(step)) process.kill(process.pid, 'SIGKILL');
    return work(...given);
  };
fs.rename = counted(fs.rename);
fs.unlink = counted(fs.unlink);
syncBuiltinESMExports();

const { writeRun } = await import('../../src/report/write.js');
const { REPORT } = await import('../../src/report/folders/report.js');
const { reportOf } = await import('./write-report.js');
const { record, sidecars } = reportOf(2, 2);
await writeRun({ out: dir, overwrite: true }, REPORT, { record, sidecars });
