/** Whether the model does the task, before its circuit is looked for. */
import { refuse } from '../../errors.js';
import { measureCapability, type Capability } from '../../evaluation/capability.js';
import type { CheckedTask } from '../../task/types.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';

/** Both prompts of every pair, forward: the pace of what follows is taken from it. */
export const CAPABILITY = 'does the model do the task?';

/** @throws TheveninError discovery/incapable: it does not, and `force` is not set */
export async function checkCapability(
  { engine, model }: Workbench,
  { name, examples, metric }: CheckedTask,
  { force, stages }: { force: boolean; stages: Stages },
): Promise<Capability> {
  const capability = await stages.run(CAPABILITY, examples.length, (report) =>
    measureCapability(engine, examples, { metric, onProgress: (done) => report(done) }),
  );
  if (!capability.doesTask && !force)
    refuse(
      'discovery/incapable',
      `${name}: ${model.config.name} does not do the task: ${capability.faults.join('; ')}; a circuit would explain nothing (--force to go on)`,
    );
  return capability;
}
