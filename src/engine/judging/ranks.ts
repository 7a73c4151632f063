/** Where the correct answer stands among all that the model could put out. */
import type { Tensor } from '../../runtime/types.js';
import type { Batch } from '../core/batches.js';
import type { Engine } from '../core/engine.js';
import type { Activations } from '../model-run/prompts.js';

/**
 * [example] the rank of the best correct token, 1 = most likely, tokens as likely as it counted half; of an example with several
 * answers the worst of theirs. NaN where an example names no correct token. Cost: the unembedding at the answers' positions.
 */
export async function answerRanks(engine: Engine, batch: Batch, run: Activations): Promise<Float64Array> {
  const ranks = new Float64Array(batch.examples.length).fill(NaN);
  const width = Math.max(...batch.examples.map(({ answers }) => answers.length));
  const vocabulary = engine.model.config.dVocabOut;
  for (let i = 0; i < width; i++) {
    const logits = await logitsAt(engine, batch, { run, answer: i }); // [examples, vocabulary]
    batch.examples.forEach(({ answers }, example) => {
      const ids = answers[i]?.correct.ids ?? [];
      if (ids.length === 0) return;
      const rank = rankOf(logits.subarray(example * vocabulary, (example + 1) * vocabulary), ids);
      const before = ranks[example] as number;
      ranks[example] = Number.isNaN(before) ? rank : Math.max(before, rank);
    });
  }
  return ranks;
}

type Row = Float32Array | Float64Array | Int32Array;

function rankOf(logits: Row, ids: readonly number[]): number {
  const best = Math.max(...ids.map((id) => logits[id] as number));
  let [above, equal] = [0, 0];
  for (const logit of logits) {
    if (logit > best) above++;
    else if (logit === best) equal++;
  }
  return above + (equal + 1) / 2;
}

/** Logits at the place of one answer of each example; examples with fewer answers are asked at their last position, in vain. */
async function logitsAt(
  engine: Engine,
  batch: Batch,
  { run, answer }: { run: Activations; answer: number },
): Promise<Row> {
  const rows = batch.examples.map(
    ({ answers }, example) => example * batch.length + (answers[answer]?.position ?? batch.length - 1),
  );
  const places = engine.runtime.tensor(Int32Array.from(rows), [rows.length, 1], 'int');
  try {
    const inputs = { x: run.final, 'answer.rows': places };
    const logits = (await engine.run({ name: 'logits', inputs, wanted: ['logits'] }))['logits'] as Tensor;
    try {
      return await logits.read();
    } finally {
      logits.dispose();
    }
  } finally {
    places.dispose();
  }
}
