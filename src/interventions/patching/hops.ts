/**
 * The strongest next hops upstream of a receiver, searched recursively: which senders matter most to it, by path patching; then, for
 * each of them, which senders matter most to its queries, keys and values (or to it, an MLP) on the way to the receiver; and so on.
 * What is compared is always the effect of the whole path down to the receiver asked about.
 */
import { readersAt } from '../../circuit/match.js';
import { parseAddress } from '../../circuit/address.js';
import type { Universe } from '../../circuit/types.js';
import { nodeOfReader } from '../../circuit/universe.js';
import type { Engine } from '../../engine/core/engine.js';
import type { MlpsOnTheWay } from '../../engine/questions/paths.js';
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import { runGrids, type PatchingOptions } from './patching.js';
import { planPath } from './paths.js';

export interface Hop {
  /** a sender's name, and the whole path from it */
  readonly sender: string;
  readonly path: string;
  /** hops of the path, from 1 */
  readonly depth: number;
  /** metric with the path patched − metric without, [example] */
  readonly effects: Float64Array;
  readonly mean: number;
  /** the strongest hops into this sender, by |mean| */
  readonly upstream: readonly Hop[];
}

export interface HopOptions extends PatchingOptions {
  /** address of the receivers that paths lead to, e.g. `logits` or `a9.*<q>` */
  readonly to: string;
  /** hops at most */
  readonly depth: number;
  /** senders that are followed further, of each receiver */
  readonly width: number;
  readonly mlps: MlpsOnTheWay;
}

export interface HopSearch {
  /** metric of each example without intervention */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  readonly hops: readonly Hop[];
}

/**
 * Cost: for each sender followed, path patching of everything upstream of it: at most width + width² + … times senders × readers.
 * @throws TheveninError circuit/address, interventions/path
 */
export async function searchHops(
  engine: Engine,
  examples: readonly Example[],
  options: HopOptions,
): Promise<HopSearch> {
  const { stops } = parseAddress(options.to);
  const [stop, ...others] = stops;
  if (others.length > 0 || readersAt(engine.universe, stop!).length === 0)
    refuse(
      'interventions/path',
      `"${options.to}" names no receivers of the model; name the place that paths lead to, e.g. logits, m3 or a1.*<q>`,
    );
  return hopsInto(engine, examples, { options, paths: [options.to], depth: 1 });
}

/** @param on the receivers that are asked about, each with the path that leads on from it */
async function hopsInto(
  engine: Engine,
  examples: readonly Example[],
  on: { options: HopOptions; paths: readonly string[]; depth: number },
): Promise<HopSearch> {
  const { options, paths, depth } = on;
  const { universe } = engine;
  const grids = paths.map((path) =>
    planPath(universe, examples, {
      ...{ path: `* -> ${path}`, mlps: options.mlps },
      ...{ senders: 'each', receivers: 'together' },
    }),
  );
  const { clean, corrupt, grids: answers } = await runGrids(engine, examples, { ...options, grids });
  const base = options.direction === 'noising' ? clean : corrupt;
  const found = answers.flatMap(({ plan, perExample }, g) =>
    plan.axes[0]!.labels.map((sender, i): Hop => {
      const effects = base.map((metric, e) => perExample[i * base.length + e]! - metric);
      const mean = effects.reduce((sum, effect) => sum + effect, 0) / effects.length;
      return { sender, path: `${sender} -> ${paths[g]!}`, depth, effects, mean, upstream: [] };
    }),
  );
  const strongest = found.sort((a, b) => Math.abs(b.mean) - Math.abs(a.mean)).slice(0, options.width);
  const hops: Hop[] = [];
  for (const hop of strongest) {
    const further = depth < options.depth ? readersOf(universe, hop) : [];
    const { hops: upstream } =
      further.length === 0
        ? { hops: [] }
        : await hopsInto(engine, examples, { options, paths: further, depth: depth + 1 });
    hops.push({ ...hop, upstream });
  }
  return { clean, corrupt, hops };
}

/** The path of each reader of a hop's sender: of a head's query, key and value, of an MLP itself. */
function readersOf(universe: Universe, { sender, path }: Hop): string[] {
  const rest = path.slice(sender.length);
  const own = [...universe.readers.entries()].filter(
    ([reader]) => universe.senders[nodeOfReader(universe, reader)]?.name === sender,
  );
  return own.map(([, { name }]) => `${name}${rest}`);
}
