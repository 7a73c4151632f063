/** Run as a process: measures exact effects with a journal, and is killed as it tells of progress for the n-th time (0: never). */
import { discover } from '../../src/jobs/discover/discover.js';

const [, , journal = '', out = '', killAt = '0'] = process.argv;
let told = 0;
await discover(
  {
    ...{ task: 'ioi', model: 'ioi', method: 'exact', examples: 64, edges: 60, runtime: 'onnx', threads: 2 },
    ...{ randomCircuits: 2, exactEdges: 2, journal, out },
  },
  {
    onProgress: ({ stage, done }) => {
      if (!stage.startsWith('exact') || done === 0) return;
      if (++told === Number(killAt)) process.kill(process.pid, 'SIGKILL');
    },
  },
);
