/**
 * Path patching planned: which senders, stops and receivers an address such as `a0.h1 -> a5.h5<k> -> a8.h6<v> -> logits` stands
 * for in a model.
 *
 * Each hop is direct, or also goes through MLPs that are recomputed; heads pass nothing on unless they are a stop. What a stop on
 * the way says is what it would say if only the readers named changed; what comes after the last stop is all recomputed. Nodes
 * that a pattern stands for and that no path reaches are left out.
 */
import { parseAddress, printAddress, printSite, type Address } from '../../circuit/address.js';
import { readersAt, sendersAt } from '../../circuit/match.js';
import type { Universe } from '../../circuit/types.js';
import { nodeOfReader } from '../../circuit/universe.js';
import { answerPaths, type MlpsOnTheWay } from '../../engine/questions/paths.js';
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import type { PlannedGrid } from './types.js';
import { positionsOf } from '../../text/where.js';

/** Are the senders (receivers) that a pattern stands for patched one by one or all at once? */
export type Grouping = 'each' | 'together';

export interface PathRequest {
  /** address of a path, or of an edge; `@` says at which positions it is followed, at every stop */
  readonly path: string;
  /** `kept`: direct hops alone; `recomputed`: hops also go through MLPs, as in the IOI paper */
  readonly mlps: MlpsOnTheWay;
  readonly senders: Grouping;
  readonly receivers: Grouping;
}

/**
 * A grid of senders × receivers; cells without a path between them hold the unchanged metric.
 * @throws TheveninError circuit/address; interventions/path: nothing in the model fits, or no path leads upward;
 * interventions/positions
 */
export function planPath(universe: Universe, examples: readonly Example[], request: PathRequest): PlannedGrid {
  const address = parseAddress(request.path);
  const { senders, through, receivers } = layPath(universe, address);
  const sets = grouped(senders, request.senders);
  const ends = endsOf(universe, receivers, request.receivers);
  const { at } = address;
  const positions = (example: Example): number[] | undefined => (at === null ? undefined : positionsOf(at, example));
  for (const example of examples)
    requireReach(universe, { address, receivers, positions: positions(example), example });
  const names = (of: readonly number[], all: readonly { readonly name: string }[]): string =>
    of.length === 1 ? (all[of[0]!]?.name ?? '') : '';
  const [first, last] = [address.stops[0]!, address.stops.at(-1)!];
  return {
    kind: { key: 'path', title: `${printAddress(address)}, MLPs ${request.mlps}` },
    axes: [
      { name: 'sender', labels: sets.map((set) => names(set, universe.senders) || printSite(first)) },
      { name: 'receiver', labels: ends.map((end) => names(end, universe.readers) || printSite(last)) },
    ],
    cells: sets.length * ends.length,
    layout: positions,
    ask: async ({ bound, base }, take) => {
      const where = positions(bound.batch.examples[0]!);
      for (const [i, set] of sets.entries()) {
        const reached = ends.filter((end) => reaches(universe, { senders: set, through, end }));
        const asked = { senders: set, positions: where, through, ends: reached, mlps: request.mlps };
        const answers = (await answerPaths(bound, asked, base)).values();
        take(
          i * ends.length,
          ends.map((end) => (reached.includes(end) ? (answers.next().value as Float64Array) : base)),
        );
      }
    },
  };
}

/**
 * The residual stream stays at its position, and a path followed at some positions is followed there at every stop: logits that are
 * judged elsewhere are never reached.
 */
function requireReach(
  universe: Universe,
  of: { address: Address; receivers: readonly number[]; positions: readonly number[] | undefined; example: Example },
): void {
  const { address, receivers, positions, example } = of;
  const judged = example.answers.map(({ position }) => position);
  const toLogits = receivers.every((reader) => reader === universe.readers.length - 1);
  if (positions === undefined || !toLogits || judged.some((position) => positions.includes(position))) return;
  refuse(
    'interventions/path',
    `path "${printAddress(address)}" never reaches the logits that are judged: in pair ${example.index} they stand at position ${judged.join(', ')}, the path is followed at ${positions.join(', ')}; leave out the @, or let it reach there`,
  );
}

interface Laid {
  readonly senders: readonly number[];
  readonly through: readonly (readonly number[])[];
  readonly receivers: readonly number[];
}

/** The nodes of every stop that lie on a path from the first to the last. */
function layPath(universe: Universe, address: Address): Laid {
  const [first, ...rest] = address.stops;
  const text = printAddress(address);
  if (rest.length === 0)
    refuse('interventions/path', `"${text}" is no path: it needs a sender and a receiver, as in ${text}->logits`);
  const named = rest.map((stop) => readersAt(universe, stop));
  const senders = sendersAt(universe, first!);
  [senders, ...named].forEach((nodes, i) => {
    const { nLayers, nHeads, hasMlp } = universe.shape;
    if (nodes.length === 0)
      refuse(
        'interventions/path',
        `path "${text}": the model has no ${printSite(address.stops[i]!)}; its layers are 0 … ${nLayers - 1}, its heads h0 … h${nHeads - 1}${hasMlp ? '' : ', and it has no MLPs'}`,
      );
  });
  const [upward, last] = [forwards(universe, senders, named), named.length - 1];
  const lost = upward.findIndex((readers) => readers.length === 0);
  if (lost >= 0)
    refuse(
      'interventions/path',
      `path "${text}" is impossible: nothing leads from ${printSite(address.stops[lost]!)} up to ${printSite(address.stops[lost + 1]!)}; a path goes from lower layers to higher ones${universe.shape.parallelBlocks ? ', and in this model a layer’s heads and MLP run side by side' : ''}`,
    );
  const receivers = upward[last]!;
  const through = backwards(universe, upward.slice(0, last), receivers);
  const next = through[0] ?? receivers;
  return {
    senders: senders.filter((sender) => next.some((reader) => leads(universe, sender, reader))),
    through,
    receivers,
  };
}

const leads = (universe: Universe, sender: number, reader: number): boolean =>
  universe.edgeBetween(sender, reader) >= 0;

/** At each stop the readers that something from below reaches. */
function forwards(universe: Universe, senders: readonly number[], stops: readonly (readonly number[])[]): number[][] {
  let from = senders;
  return stops.map((readers) => {
    const reached = readers.filter((reader) => from.some((sender) => leads(universe, sender, reader)));
    from = reached.map((reader) => nodeOfReader(universe, reader)).filter((node) => node >= 0);
    return reached;
  });
}

/** At each stop the readers whose nodes reach something above. */
function backwards(universe: Universe, stops: readonly (readonly number[])[], end: readonly number[]): number[][] {
  let above = end;
  const kept = [...stops].reverse().map((readers) => {
    above = readers.filter((reader) => above.some((next) => leads(universe, nodeOfReader(universe, reader), next)));
    return [...above];
  });
  return kept.reverse();
}

/** Does any path lead from these senders to any of these receivers? */
function reaches(
  universe: Universe,
  {
    senders,
    through,
    end,
  }: { senders: readonly number[]; through: readonly (readonly number[])[]; end: readonly number[] },
): boolean {
  return forwards(universe, senders, [...through, end]).at(-1)!.length > 0;
}

const grouped = (nodes: readonly number[], how: Grouping): number[][] =>
  how === 'together' ? [[...nodes]] : nodes.map((node) => [node]);

/** The logits end every path: together with other receivers they would count what those pass on twice. */
function endsOf(universe: Universe, receivers: readonly number[], how: Grouping): number[][] {
  const logits = universe.readers.length - 1;
  if (how === 'together' && receivers.length > 1 && receivers.includes(logits))
    refuse(
      'interventions/path',
      'the logits and other receivers cannot be patched together; patch each receiver by itself (--receivers each), or name the last stop without "*"',
    );
  return grouped(receivers, how);
}
