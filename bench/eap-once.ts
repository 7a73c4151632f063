/** Runs EAP once in a process of its own and prints the most memory the process ever held, in KiB. */
import { withSession } from '../src/engine/questions/session.js';
import { eap } from './rows/gradients.js';
import { openWorkload } from './workload.js';

const workload = await openWorkload();
await withSession(
  workload.engine,
  workload.batch,
  { metric: 'logit-difference', direction: 'noising' },
  async (session) => {
    await (await eap.prepare({ quick: true, workload, session })).run();
  },
);
await workload.dispose();
process.stdout.write(`${process.resourceUsage().maxRSS}`);
