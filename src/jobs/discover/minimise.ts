/** Backward elimination of a circuit that was chosen, and what became of it. */
import { countIn } from '../../circuit/prune.js';
import type { Circuit } from '../../circuit/types.js';
import type { AlternativeMaker } from '../../engine/sources/index.js';
import { eliminate, type Elimination } from '../../evaluation/eliminate.js';
import { faithfulness, measureCircuits } from '../../evaluation/faithfulness.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';

export interface Minimal extends Elimination {
  readonly within: number;
  /** faithfulness on the report split: of what is left, and of the circuit that elimination began with */
  readonly faithfulness: number | null;
  readonly from: { readonly edgeCount: number; readonly faithfulness: number | null };
}

interface Asked {
  readonly circuit: Circuit;
  /** |1 − faithfulness| to be kept; undefined: no elimination */
  readonly within: number | undefined;
  readonly source: AlternativeMaker | undefined;
  readonly stages: Stages;
}

const pick = (task: CheckedTask, split: 'choose' | 'report'): Example[] =>
  task.splits[split].map((place) => task.examples[place] as Example);

/**
 * Eliminates on the `choose` split, evaluates on the `report` split. The circuit of the findings is the smaller one where the target
 * was met; where the circuit does not meet it to begin with, nothing is eliminated and the circuit stays.
 */
export async function minimise(
  { engine }: Workbench,
  task: CheckedTask,
  { circuit, within, source, stages }: Asked,
): Promise<{ minimal: Minimal | null; circuit: Circuit }> {
  if (within === undefined) return { minimal: null, circuit };
  const { metric } = task;
  const examples = pick(task, 'choose');
  const found = await stages.run('backward elimination', circuit.edgeCount, (report) =>
    eliminate(
      {
        engine,
        examples,
        metric,
        source,
        signal: stages.signal,
        onProgress: (left, atStart) => report(atStart - left, `${left} edges left`),
      },
      circuit.edges,
      { keep: 'faithfulness', within },
    ),
  );
  const both = [found.edges, circuit.edges];
  const values = await measureCircuits(engine, pick(task, 'report'), both, { metric, source });
  const [after = null, before = null] = values.circuits.map((one) => faithfulness({ ...values, circuit: one }));
  const from = { edgeCount: countIn(circuit.edges), faithfulness: before };
  const smaller = { ...circuit, edges: found.edges, edgeCount: found.edgeCount };
  return {
    minimal: { ...found, within, faithfulness: after, from },
    circuit: found.met ? smaller : circuit,
  };
}
