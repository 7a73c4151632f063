/** Whether a task can be run on a model: everything that is known before any compute. */
import { askedOf, type Takes } from '../asked.js';
import { loadModel } from '../../model/load.js';
import { checkTask } from '../../task/check.js';
import type { TaskCheck } from '../../task/check.js';
import { resolveTask } from '../../task/files/load.js';
import type { ResolvedTask } from '../../task/files/load.js';

export interface ValidateRequest {
  /** a shipped task's name or a task file */
  readonly task: string;
  /** a bundled model's name, a folder or a file */
  readonly model: string;
  /** only the first pairs, or how many a generator makes */
  readonly examples: number | undefined;
  readonly seed: number;
  /** stands above the task's own */
  readonly bos: boolean | 'auto' | undefined;
  /** false: every pair is used for everything */
  readonly split: boolean;
}

const TAKES: Takes<ValidateRequest, 'task' | 'model'> = {
  name: 'validate',
  needs: ['task', 'model'],
  defaults: { examples: undefined, seed: 0, bos: undefined, split: true },
};

/** @throws what loading a model or a task throws; a faulty task is told in the findings */
export const validate = async (
  asked: Partial<ValidateRequest> & Pick<ValidateRequest, 'task' | 'model'>,
): Promise<{ readonly resolved: ResolvedTask; readonly check: TaskCheck }> => {
  const request = askedOf(TAKES, asked);
  const { examples, seed, bos, split } = request;
  const model = await loadModel(request.model);
  try {
    const resolved = await resolveTask(request.task, model, examples === undefined ? {} : { count: examples });
    const override = bos === undefined ? {} : { bos };
    const check = checkTask(resolved.file, { path: resolved.path, ...model, seed, split, ...override });
    return { resolved, check };
  } finally {
    await model.dispose();
  }
};
