/** What the neurons of an MLP say. Runs keep what the MLP reads; its neurons are recomputed where they are asked for. */
import { refuse } from '../../errors.js';
import type { Tensor } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { feedForward } from './layers.js';
import type { Activations } from './prompts.js';
import { mlpInputOf, type BoundRun } from './bound-run.js';

/** Of one layer in a cached run, [1, examples, length, dMlp]; the caller owns it. Cost: the MLP. */
function neuronsOf(engine: Engine, run: Activations, layer: number): Promise<Tensor> {
  return withArena(async (arena) => {
    const x = mlpInputOf(engine, run, layer);
    const saved = await feedForward({ engine, layer }, { x, onto: x }, preActivationsOf(engine));
    return (await engine.run({ name: 'activeNeurons', inputs: arena.own(saved) }))['neurons'] as Tensor;
  });
}

/** The outputs of a feed-forward step that say what its neurons say. */
export const preActivationsOf = ({ model }: Engine): string[] => ['hidden', ...(model.config.gatedMlp ? ['gate'] : [])];

interface NeuronPair {
  readonly now: Tensor;
  readonly alt: Tensor;
}

/** Both runs' neurons, a layer's made when it is first asked for; as long as the arena. */
export class NeuronPairs {
  private readonly layers = new Map<number, Promise<NeuronPair>>();

  constructor(
    private readonly bound: Pick<BoundRun, 'engine' | 'base' | 'alternative'>,
    private readonly arena: Arena,
  ) {}

  of(layer: number): Promise<NeuronPair> {
    const known = this.layers.get(layer) ?? this.make(layer);
    this.layers.set(layer, known);
    return known;
  }

  private async make(layer: number): Promise<NeuronPair> {
    const { engine, base, alternative } = this.bound;
    if (!alternative.isRun)
      refuse(
        'discovery/source',
        'what single neurons say is known of prompts alone: take the other prompt as the source, or replace the whole output of the MLP',
      );
    const now = this.arena.own(await neuronsOf(engine, base, layer));
    return { now, alt: this.arena.own(await neuronsOf(engine, alternative, layer)) };
  }
}

/** What a layer's neurons would be differently, alternative − base, at the span's positions: [examples, pos, dMlp]. */
export async function neuronChange(bound: BoundRun, layer: number, positions: Tensor): Promise<Tensor> {
  const { engine, base, alternative } = bound;
  const inputs = { now: mlpInputOf(engine, base, layer), alt: mlpInputOf(engine, alternative, layer), positions };
  return (await engine.run({ name: 'neuronChange', layer, inputs }))['change'] as Tensor;
}
