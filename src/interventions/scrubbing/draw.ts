/**
 * From a hypothesis to runs: which data point every node of the treeified hypothesis is evaluated on, drawn at random (Chan et al.
 * 2022, algorithm 1). A node that several others read is drawn anew for each of them.
 */
import type { Universe } from '../../circuit/types.js';
import type { Given, Read, Rows, Said } from '../../engine/questions/scrub.js';
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import type { Random } from '../../task/random.js';
import { positionsOf } from '../../text/where.js';
import { agreeing } from './features.js';
import { readerOf, ROLES_OF, sendersInto, type Hypothesis, type HypothesisNode, type Role } from './hypothesis.js';

/** Inputs that do not matter: of one node all from one data point, or each from its own. */
export type Unimportant = 'shared' | 'separate';

/** Which claims are put to the test; the others are taken for granted: their values are those of the prompt itself. */
export interface Tested {
  /** that the node depends on nothing but its feature */
  feature(node: HypothesisNode): boolean;
  /** that nothing but what it reads matters to it */
  inputs(node: HypothesisNode): boolean;
  /** is there anything to be tested in it or below it? */
  reaches(node: HypothesisNode): boolean;
}

export const EVERYTHING: Tested = { feature: () => true, inputs: () => true, reaches: () => true };

export type ClaimKind = 'feature' | 'inputs';

/** One claim of one node alone, wherever the node is read. */
export function onlyClaim(node: HypothesisNode, kind: ClaimKind): Tested {
  const reaches = (from: HypothesisNode): boolean =>
    from === node || [...(from.reads?.values() ?? [])].some((children) => children.some(reaches));
  return {
    feature: (one) => one === node && kind === 'feature',
    inputs: (one) => one === node && kind === 'inputs',
    reaches,
  };
}

/** A pool's prompts, for the nodes of a hypothesis: where their spans lie, and which prompts agree with which. */
export interface Layout {
  /** prompts, and tokens of each */
  readonly size: number;
  readonly length: number;
  readonly positions: ReadonlyMap<HypothesisNode, readonly number[] | null>;
  /** [point] → points that agree with it; nodes that claim no feature have none */
  readonly agreeing: ReadonlyMap<HypothesisNode, readonly (readonly number[])[]>;
}

/** @throws interventions/hypothesis where a reader is given one sender twice at one position */
export function layoutOf(universe: Universe, { nodes }: Hypothesis, examples: readonly Example[]): Layout {
  const [first] = examples as [Example, ...Example[]];
  const positions = new Map(nodes.map((node) => [node, node.span && positionsOf(node.span, first)]));
  const features = nodes.flatMap((node) => (node.feature ? [[node, agreeing(node.feature, examples)] as const] : []));
  for (const node of nodes)
    for (const children of node.reads?.values() ?? []) checkOverlap(universe, { node, children, positions });
  return { size: examples.length, length: first.clean.length, positions, agreeing: new Map(features) };
}

function checkOverlap(
  universe: Universe,
  { node, children, positions }: { node: HypothesisNode; children: readonly HypothesisNode[]; positions: Layout['positions'] }, // prettier-ignore
): void {
  children.forEach((one, i) =>
    children.slice(0, i).forEach((other) => {
      const both = one.members.find((member) => other.members.includes(member));
      const [a, b] = [positions.get(one) ?? null, positions.get(other) ?? null];
      if (both === undefined || (a && b && !a.some((position) => b.includes(position)))) return;
      const sender = universe.senders[both]!.name;
      refuse(
        'interventions/hypothesis',
        `node "${node.name}" reads ${sender} twice at the same positions: as "${other.name}" (${other.at}) and as "${one.name}" (${one.at})`,
      );
    }),
  );
}

export interface DrawOptions {
  readonly universe: Universe;
  readonly layout: Layout;
  readonly random: Random;
  readonly unimportant: Unimportant;
  readonly tested: Tested;
}

/** What the logits read, one draw for every prompt of the pool. */
export function drawRun({ root }: Hypothesis, options: DrawOptions): Read {
  const { universe, layout } = options;
  const own = Int32Array.from({ length: layout.size }, (_, i) => i);
  const logits = universe.readers.length - 1;
  return drawer(options).reads(root, { reader: logits, children: root.reads!.get('x')!, rows: own, other: null });
}

function drawer({ universe, layout, random, unimportant, tested }: DrawOptions) {
  const { size } = layout;
  const anyPoint = (): Rows => Int32Array.from({ length: size }, () => random.between(0, size - 1));
  const standIns = (node: HypothesisNode, rows: Rows): Rows => {
    const classes = layout.agreeing.get(node);
    return classes && tested.feature(node) ? rows.map((row) => random.pick(classes[row]!)) : rows;
  };
  const isEntered = (node: HypothesisNode): boolean =>
    node.reads !== null &&
    (tested.inputs(node) || [...node.reads.values()].some((children) => children.some(tested.reaches)));

  /** What one sender says, read by a node whose data points are `above`. */
  const says = (node: HypothesisNode, sender: number, above: Rows): Said => {
    const rows = standIns(node, above);
    if (!isEntered(node)) return { rows };
    const other = tested.inputs(node) && unimportant === 'shared' ? anyPoint() : null;
    const { kind } = universe.senders[sender]!;
    const roles: readonly Role[] = ROLES_OF[kind as 'head' | 'mlp'];
    return {
      reads: roles.map((role) => {
        const reader = readerOf(universe, node, sender, role);
        return reads(node, { reader, children: node.reads!.get(role) ?? [], rows, other });
      }),
    };
  };

  /** @param of.other the data points of unimportant inputs, where they are drawn for the whole node */
  const reads = (
    node: HypothesisNode,
    of: { reader: number; children: readonly HypothesisNode[]; rows: Rows; other: Rows | null },
  ): Read => {
    const { reader, children, rows } = of;
    const [alone] = children;
    if (alone?.is === 'readers') return readsAlone(alone, reader, rows);
    if (!tested.inputs(node)) return { rows, given: children.filter(tested.reaches).flatMap((child) => givenBy(child, reader, rows)) }; // prettier-ignore
    const given = children.flatMap((child) => givenBy(child, reader, rows));
    const other = of.other ?? anyPoint();
    return { rows: other, given: unimportant === 'shared' ? given : [...given, ...strangers(reader, given)] };
  };

  /** A head's reader that is a node itself. */
  const readsAlone = (node: HypothesisNode, reader: number, above: Rows): Read => {
    const rows = standIns(node, above);
    if (!isEntered(node)) return { rows, given: [] };
    return reads(node, { reader, children: node.reads!.get('x')!, rows, other: null });
  };

  const givenBy = (child: HypothesisNode, reader: number, rows: Rows): Given[] =>
    sendersInto(universe, child, reader).map((sender) => ({
      ...{ sender, positions: layout.positions.get(child) ?? null },
      said: says(child, sender, rows),
    }));

  /** Every sender from a data point of its own, wherever it is not given. */
  const strangers = (reader: number, given: readonly Given[]): Given[] => {
    const { senderCount } = universe.readers[reader]!;
    return Array.from({ length: senderCount }, (_, sender) => sender).flatMap((sender) => {
      const own = given.filter((one) => one.sender === sender);
      if (own.some(({ positions }) => positions === null)) return [];
      const taken = own.flatMap(({ positions }) => positions!);
      const rest = Array.from({ length: layout.length }, (_, position) => position).filter(
        (one) => !taken.includes(one),
      );
      return [{ sender, positions: taken.length === 0 ? null : rest, said: { rows: anyPoint() } }];
    });
  };
  return { reads };
}

/** Heads and MLPs that a run computes anew. */
export function computedIn({ given }: Read): { heads: number; mlps: number } {
  const sum = { heads: 0, mlps: 0 };
  for (const { said } of given)
    if ('reads' in said) {
      if (said.reads.length > 1) sum.heads++;
      else sum.mlps++;
      for (const { heads, mlps } of said.reads.map(computedIn)) {
        sum.heads += heads;
        sum.mlps += mlps;
      }
    }
  return sum;
}
