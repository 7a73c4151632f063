/** What cut edges read, made ready for a task. */
import { planBatches } from '../engine/batches.js';
import { makeSource, type AlternativeMaker } from '../engine/sources.js';
import { refuse } from '../errors.js';
import type { CheckedTask, Example } from '../task/types.js';
import { ABLATIONS, type Ablation } from './request.js';
import type { Workbench } from './workbench.js';

/** Undefined: the other prompt. Means are taken over the corrupt prompts of the `discover` split. Cost: for means, one forward pass over them. @throws discovery/source */
export async function openSource(
  { engine }: Workbench,
  task: CheckedTask,
  ablation: Ablation,
): Promise<AlternativeMaker | undefined> {
  const kind = ABLATIONS[ablation];
  if (kind === 'other') return undefined;
  const reference = task.splits.discover.map((place) => task.examples[place] as Example);
  if (kind === 'mean-positional') requireLengths(task, reference);
  const { batches } = planBatches(engine, reference);
  return makeSource(engine, kind, { batches, side: 'corrupt' });
}

/** A mean at each position exists only for prompts of a length that the reference prompts have. */
function requireLengths(task: CheckedTask, reference: readonly Example[]): void {
  const known = new Set(reference.map(({ clean }) => clean.length));
  const missing = task.examples.find(({ clean }) => !known.has(clean.length));
  if (missing)
    refuse(
      'discovery/source',
      `${task.name}: --source positional-mean has no means for prompts of ${missing.clean.length} tokens (pair ${missing.index}): no prompt to discover on is as long; use --source mean, more pairs, or --no-split`,
    );
}
