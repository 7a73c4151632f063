/** A model opened on a runtime, and a task checked for it. */
import { Engine } from '../engine/core/engine.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/types.js';
import { createRuntime } from '../runtime/index.js';
import type { Runtime } from '../runtime/types.js';
import { checkTask } from '../task/check.js';
import { requireClean } from '../task/finding.js';
import { resolveTask } from '../task/files/load.js';
import type { TaskFile } from '../task/schema.js';
import type { CheckedTask } from '../task/types.js';
import { invariant } from '../errors.js';
import { withOutput, type OutputRequest } from '../report/output.js';

export interface Workbench {
  readonly model: Model;
  readonly runtime: Runtime;
  readonly engine: Engine;
}

interface BenchRequest extends OutputRequest {
  readonly model: string;
  readonly runtime: string;
  readonly threads?: number | undefined;
  readonly memory?: number | undefined;
}

/** Takes the folder of the result, opens a model and a runtime, hands them to `work`, and closes them whatever happens. */
export const withWorkbench = <T>(of: BenchRequest, work: (bench: Workbench) => Promise<T>): Promise<T> =>
  withOutput(of, () => withModel(of, work));

async function withModel<T>(of: BenchRequest, work: (bench: Workbench) => Promise<T>): Promise<T> {
  const model = await loadModel(of.model);
  try {
    const runtime = await createRuntime(of.runtime, { threads: of.threads ?? 0 });
    try {
      const engine = new Engine(model, runtime, of.memory === undefined ? {} : { memoryBytes: of.memory });
      try {
        return await work({ model, runtime, engine });
      } finally {
        await engine.dispose();
      }
    } finally {
      await runtime.dispose();
    }
  } finally {
    await model.dispose();
  }
}

export interface TaskRequest {
  readonly task: string;
  readonly examples: number | undefined;
  readonly seed: number;
  readonly bos: boolean | 'auto' | undefined;
  readonly split: boolean;
}

/** The task's pairs, tokenised and linted for a model. @throws the first finding that is an error */
export async function openTask(model: Model, request: TaskRequest): Promise<{ file: TaskFile; task: CheckedTask }> {
  const { examples, seed, bos, split } = request;
  const resolved = await resolveTask(request.task, model, examples === undefined ? {} : { count: examples });
  const context = { path: resolved.path, tokenizer: model.tokenizer, config: model.config, seed, split };
  const { task, findings } = checkTask(resolved.file, { ...context, ...(bos === undefined ? {} : { bos }) });
  requireClean(findings);
  invariant(task !== null, 'a task without errors is checked');
  return { file: resolved.file, task };
}
