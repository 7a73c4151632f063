/** A hypothesis laid out over a model: every node found in the graph, everything that can be wrong with it found here. */
import { parseAddress, printAddress, type Address, type Span } from '../../circuit/address.js';
import { readersAt, sendersAt } from '../../circuit/match.js';
import type { Universe } from '../../circuit/types.js';
import { nodeOfReader } from '../../circuit/universe.js';
import { refuse } from '../../errors.js';
import { featureOf, type Feature } from './features.js';
import type { HypothesisFile, NodeSource } from './schema.js';

/** The readers of a node, in the order in which a run puts them together. */
export type Role = 'q' | 'k' | 'v' | 'x';
export const ROLES_OF = { head: ['q', 'k', 'v'], mlp: ['x'], logits: ['x'] } as const satisfies Record<
  string,
  readonly Role[]
>;

export interface HypothesisNode {
  readonly name: string;
  /** canonical spelling */
  readonly at: string;
  /** what it stands for: indices in the universe, of senders, or of readers (of heads, and the logits) */
  readonly is: 'senders' | 'readers';
  readonly members: readonly number[];
  readonly span: Span | null;
  /** null: no claim */
  readonly feature: readonly Feature[] | null;
  /** role → children; null: nothing is said of how it is computed */
  readonly reads: ReadonlyMap<Role, readonly HypothesisNode[]> | null;
  readonly claim: string | null;
}

export interface Hypothesis {
  readonly name: string;
  readonly title: string;
  readonly sources: readonly string[];
  readonly root: HypothesisNode;
  /** every node once, each before those that it reads */
  readonly nodes: readonly HypothesisNode[];
}

const fail = (what: string): never => refuse('interventions/hypothesis', what);

/**
 * @throws interventions/hypothesis: a node that the model has not, is not upstream of the one that reads it, reads itself, is never
 * read, or reads in a way that its kind does not; circuit/address
 */
export function layOut(file: HypothesisFile, universe: Universe): Hypothesis {
  const made = new Map<string, HypothesisNode>();
  const open: string[] = [];
  const make = (name: string, reader: string): HypothesisNode => {
    const known = made.get(name);
    if (known) return known;
    const source =
      (Object.hasOwn(file.nodes, name) ? file.nodes[name] : undefined) ??
      fail(`node "${reader}" reads "${name}", which is not among the nodes: ${Object.keys(file.nodes).join(', ')}`);
    if (open.includes(name))
      fail(`node "${name}" reads itself, by way of ${[...open.slice(open.indexOf(name)), name].join(' → ')}`);
    open.push(name);
    const node = nodeOf({ name, source, universe }, (child) => make(child, name));
    open.pop();
    made.set(name, node);
    return node;
  };
  const roots = Object.keys(file.nodes).filter(
    (name) => parseAddress(file.nodes[name]!.at).stops[0]!.kind === 'logits',
  );
  if (roots.length !== 1)
    fail(
      `${roots.length} nodes of hypothesis "${file.name}" are at logits; exactly one is needed, which reads the others`,
    );
  const root = make(roots[0]!, '');
  const unread = Object.keys(file.nodes).filter((name) => !made.has(name));
  if (unread.length > 0)
    fail(`node "${unread[0]!}" is read by none; name it in "reads" of the node that it matters to`);
  const nodes = inOrder(
    root,
    Object.keys(file.nodes).map((name) => made.get(name)!),
  );
  return { name: file.name, title: file.title ?? '', sources: file.sources ?? [], root, nodes };
}

/** Each before those that it reads: by the longest way from the root, then as in the file. */
function inOrder(root: HypothesisNode, nodes: readonly HypothesisNode[]): HypothesisNode[] {
  const depth = new Map<HypothesisNode, number>();
  let layer = new Set([root]);
  for (let d = 0; layer.size > 0; d++) {
    for (const node of layer) depth.set(node, d); // a later visit is a longer way
    layer = new Set([...layer].flatMap((node) => [...(node.reads?.values() ?? [])].flat()));
  }
  return [...nodes].sort((a, b) => depth.get(a)! - depth.get(b)!);
}

/** Does a node say of any of its inputs that it does not matter? Not where each of its readers is a node itself. */
export const claimsInputs = ({ is, reads }: HypothesisNode): boolean =>
  reads !== null &&
  (is === 'readers' || reads.size < 3 || [...reads.values()].some((children) => children[0]?.is !== 'readers'));

interface Placed {
  readonly name: string;
  readonly source: NodeSource;
  readonly universe: Universe;
}

function nodeOf({ name, source, universe }: Placed, child: (name: string) => HypothesisNode): HypothesisNode {
  const address = parseAddress(source.at);
  const place = placeOf(name, address, universe);
  if (address.stops[0]!.kind === 'logits') {
    if (source.feature !== undefined || source.reads === undefined || address.at !== null)
      fail(
        `node "${name}" is at logits: it has "reads", no "feature" (its prompt is the one that is asked about), and no "@"`,
      );
  }
  const reads = readsOf({ name, source, universe }, place, child);
  return {
    name,
    at: printAddress(address),
    ...place,
    span: address.at,
    feature: source.feature?.map(featureOf) ?? null,
    reads,
    claim: source.claim ?? null,
  };
}

type PlaceOfNode = Pick<HypothesisNode, 'is' | 'members'>;

function placeOf(name: string, { stops, at, key }: Address, universe: Universe): PlaceOfNode {
  const site = stops[0]!;
  const senders = sendersAt(universe, site);
  const isReader = site.kind.startsWith('read-') || site.kind === 'logits';
  const members = isReader ? readersAt(universe, site) : senders;
  const said = printAddress({ stops, at, key });
  if (stops.length > 1 || !['any', 'input', 'head', 'mlp', 'logits', 'read-q', 'read-k', 'read-v'].includes(site.kind))
    fail(
      `node "${name}" is at ${said}; expected input, a head (a5.h1), an MLP (m3), a head's reader (a5.h1<k>) or logits`,
    );
  if (members.length === 0) {
    const { nLayers, nHeads, hasMlp } = universe.shape;
    fail(
      `node "${name}": the model has no ${said}; its layers are 0 … ${nLayers - 1}, its heads h0 … h${nHeads - 1}${hasMlp ? '' : ', and it has no MLPs'}`,
    );
  }
  if (isReader && at !== null)
    fail(`node "${name}" is at ${said}: a reader reads at all positions; give "@" to what it reads`);
  return { is: isReader ? 'readers' : 'senders', members };
}

function readsOf(
  { name, source: { reads, at }, universe }: Placed,
  place: PlaceOfNode,
  child: (name: string) => HypothesisNode,
): HypothesisNode['reads'] {
  if (reads === undefined) return null;
  const kinds = new Set(place.members.map((i) => (place.is === 'senders' ? universe.senders[i]!.kind : 'reader')));
  const expected = kinds.size > 1 ? null : kinds.has('head') ? 'head' : kinds.has('input') ? null : 'list';
  if (expected === null) fail(`node "${name}" is at ${at}, which cannot have "reads": ${kinds.has('input') ? 'the embedding reads nothing' : 'heads and MLPs read in different ways; make two nodes of it'}`); // prettier-ignore
  if (Array.isArray(reads) !== (expected === 'list'))
    fail(
      `node "${name}" is at ${at}, whose "reads" is ${expected === 'list' ? 'a list of nodes' : '{"q": […], "k": […], "v": […]}'}`,
    );
  const byRole = Object.entries(Array.isArray(reads) ? { x: reads } : reads) as [Role, string[]][];
  const laid = new Map(byRole.map(([role, names]) => [role, names.map(child)] as const));
  for (const [role, children] of laid) checkChildren({ name, universe }, place, { role, children });
  return laid;
}

/** The reader by which a member of a node reads; of a reader, itself. */
export function readerOf(universe: Universe, { is }: PlaceOfNode, member: number, role: Role): number {
  if (is === 'readers') return member;
  return universe.readers.findIndex(
    ({ kind }, reader) => nodeOfReader(universe, reader) === member && (role === 'x' || kind === role),
  );
}

function checkChildren(
  { name, universe }: { name: string; universe: Universe },
  place: PlaceOfNode,
  { role, children }: { role: Role; children: readonly HypothesisNode[] },
): void {
  const readers = place.members.map((member) => readerOf(universe, place, member, role));
  for (const one of children)
    if (one.is === 'readers') {
      const fits = place.is === 'senders' && readers.every((reader) => one.members.includes(reader));
      if (!fits || children.length > 1)
        fail(
          `node "${name}" reads "${one.name}" (${one.at}) by ${role}: a head's reader stands alone in its own head's ${role}`,
        );
    } else
      for (const reader of readers)
        if (sendersInto(universe, one, reader).length === 0)
          fail(
            `node "${name}" reads "${one.name}" (${one.at}), which is not upstream of ${universe.readers[reader]!.name}`,
          );
}

/** Senders of a child that a reader reads. */
export const sendersInto = (universe: Universe, child: HypothesisNode, reader: number): number[] =>
  child.members.filter((sender) => universe.edgeBetween(sender, reader) >= 0);

/** Every span that a hypothesis speaks of. */
export const spansOf = ({ nodes }: Hypothesis): Span[] =>
  nodes.flatMap(({ span, feature }) => [...(span ? [span] : []), ...(feature ?? []).flatMap(({ spans }) => spans)]);
