/** What sites of a model say on prompts, as what they add to the residual stream. */
import type { Tensor } from '../../runtime/types.js';
import type { Engine } from '../core/engine.js';
import { withCachedRun, type CachedRun, type PromptSide } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { at, postOf } from '../model-run/bound-run.js';
import type { SteeringKind, SteeringSite } from './steered.js';

/** [examples · pos · d] of each batch's example, one after the other: what the site says. Cost: one forward pass. */
export function siteValues(
  engine: Engine,
  batch: Batch,
  { site, side }: { readonly site: SteeringSite; readonly side: PromptSide },
): Promise<Float64Array> {
  return withCachedRun(engine, batch, side, (run) => READERS[site.kind](engine, run, site));
}

type Reader = (engine: Engine, run: CachedRun, site: SteeringSite) => Promise<Float64Array>;

const read = async (tensor: Tensor): Promise<Float64Array> => Float64Array.from(await tensor.read());

/** Every site; a new one is a line here. */
const READERS: { readonly [Kind in SteeringKind]: Reader } = {
  'resid-pre': (_, run, { layer }) => read(at(run.pre, layer)),
  'resid-mid': (_, run, { layer }) => read(at(run.mid, layer)),
  'resid-post': (_, run, { layer }) => read(postOf(run, layer)),
  'mlp-out': (_, run, { layer }) => read(at(run.m, layer)),
  'attention-out': async (_, run, { layer }) => {
    const [mid, pre] = [await read(at(run.mid, layer)), await read(at(run.pre, layer))];
    return mid.map((x, i) => x - (pre[i] as number));
  },
  z: headOutput,
};

/** z W_O of one head. */
async function headOutput(engine: Engine, run: CachedRun, { layer, head = 0 }: SteeringSite): Promise<Float64Array> {
  const { dModel, dHead } = engine.model.config;
  const z = at(run.z, layer); // [1, examples, heads, pos, dHead]
  const [, examples = 0, heads = 0, length = 0] = z.shape;
  const values = await z.read();
  const output = (await engine.model.weights.read(`blocks.${layer}.attn.W_O`)).subarray(head * dHead * dModel);
  const result = new Float64Array(examples * length * dModel);
  for (let e = 0; e < examples; e++)
    for (let position = 0; position < length; position++) {
      const from = ((e * heads + head) * length + position) * dHead;
      const to = (e * length + position) * dModel;
      for (let i = 0; i < dHead; i++)
        for (let j = 0; j < dModel; j++)
          result[to + j] =
            (result[to + j] as number) + (values[from + i] as number) * (output[i * dModel + j] as number);
    }
  return result;
}
