/** Attention knock-out planned: `a5.*.pattern@end<-S2` keeps the queries at `end` from looking at `S2` in every head of layer 5. */
import { parseAddress, printAddress, type Address, type Index } from '../../circuit/address.js';
import { answerKnockouts, type Knockout } from '../../engine/questions/knockout.js';
import { refuse } from '../../errors.js';
import type { ModelConfig } from '../../model/types.js';
import type { Example } from '../../task/types.js';
import type { PlannedGrid } from './types.js';
import type { Axis } from '../../text/divide.js';
import { positionsOf } from '../../text/where.js';

/** What is knocked out at a time: everything named, each layer's part of it, each head's. */
export type Unit = 'all' | 'layer' | 'head';

export interface KnockoutRequest {
  /** addresses of patterns with queries and keys, separated by commas */
  readonly knockout: string;
  readonly each: Unit;
  /** undefined: all that the addresses name */
  readonly layers?: readonly number[] | undefined;
  /** with `each: layer`: how many layers around each are knocked out together (Geva et al.), l − ⌊n/2⌋ … */
  readonly window: number;
}

interface Head {
  readonly layer: number;
  readonly head: number;
}

interface Unitary {
  readonly axes: readonly Axis[];
  /** the heads of each cell */
  readonly cells: readonly (readonly Head[])[];
}

/**
 * A grid whose cells are heads, layers, or one cell of all.
 * @throws TheveninError circuit/address; interventions/knockout: no queries or keys named, no such head, or a query would be left
 * without a key, or none of the keys is seen anyway; interventions/positions
 */
export function planKnockout(config: ModelConfig, examples: readonly Example[], request: KnockoutRequest): PlannedGrid {
  const addresses = request.knockout.split(',').map((text) => checked(parseAddress(text.trim()), text));
  const named = addresses.map((address) => headsOf(config, address, request.layers));
  const of = ({ layer, head }: Head, example: Example): Knockout[] =>
    addresses
      .filter((_, i) => named[i]?.some((one) => one.layer === layer && one.head === head))
      .map(({ at, key }) => ({ layer, head, queries: positionsOf(at, example), keys: positionsOf(key, example) }));
  const heads = named.flat();
  for (const example of examples) for (const head of heads) requireEffect(config, of(head, example), example);
  const { axes, cells } = UNITS[request.each](heads, { config, window: request.window, text: request.knockout });
  return {
    kind: { key: 'knockout', title: `attention knocked out, ${addresses.map(printAddress).join(', ')}` },
    axes,
    cells: cells.length,
    layout: (example) => heads.map((head) => of(head, example)),
    ask: async ({ bound, base }, take) => {
      const example = bound.batch.examples[0]!;
      for (let from = 0; from < cells.length; from += AT_ONCE) {
        const asked = cells.slice(from, from + AT_ONCE).map((cell) => cell.flatMap((head) => of(head, example)));
        const some = asked.filter((one) => one.length > 0);
        const answers = (await answerKnockouts(bound, some)).values();
        take(
          from,
          asked.map((one) => (one.length > 0 ? (answers.next().value as Float64Array) : base)),
        );
      }
    },
  };
}

/** Cells between two reports of progress. */
const AT_ONCE = 16;

type Checked = Address & { readonly at: NonNullable<Address['at']>; readonly key: NonNullable<Address['key']> };

function checked(address: Address, text: string): Checked {
  const { at, key, stops } = address;
  if (stops.length > 1 || stops[0]?.kind !== 'pattern' || at === null || key === null)
    return refuse(
      'interventions/knockout',
      `"${text.trim()}" names no queries and keys of a pattern; write for example a5.*.pattern@end<-S2`,
    );
  return { ...address, at, key };
}

function headsOf({ nLayers, nHeads }: ModelConfig, { stops, ...rest }: Checked, only?: readonly number[]): Head[] {
  const { layer = '*', head = '*' } = stops[0] ?? {};
  const range = (index: Index, count: number): number[] =>
    Array.from({ length: count }, (_, i) => i).filter((i) => index === '*' || index === i);
  const outside = only?.find((asked) => asked >= nLayers);
  const layers = range(layer, nLayers).filter((one) => only?.includes(one) ?? true);
  const found = layers.flatMap((l) => range(head, nHeads).map((h) => ({ layer: l, head: h })));
  if (found.length === 0 || outside !== undefined)
    refuse(
      'interventions/knockout',
      `${printAddress({ stops, ...rest })}${only ? ` in layers ${only.join(', ')}` : ''}: the model has no such head; its layers are 0 … ${nLayers - 1}, its heads h0 … h${nHeads - 1}`,
    );
  return found;
}

/** Every query keeps a key, and some query loses one. */
function requireEffect({ attention }: ModelConfig, knockouts: readonly Knockout[], { clean, index }: Example): void {
  const lost = new Map<number, Set<number>>();
  for (const { queries, keys } of knockouts)
    for (const query of queries)
      for (const key of keys)
        if (attention === 'bidirectional' || key <= query)
          lost.set(query, (lost.get(query) ?? new Set<number>()).add(key));
  if (lost.size === 0)
    refuse(
      'interventions/knockout',
      `pair ${index}: the keys named come after all the queries named, where causal attention never looks; exchange them?`,
    );
  for (const [query, keys] of lost)
    if (keys.size === (attention === 'bidirectional' ? clean.length : query + 1))
      refuse(
        'interventions/knockout',
        `pair ${index}: the query at position ${query} would be left without any key to look at; leave it one`,
      );
}

const unique = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** Every unit; a new one is an entry here. */
const UNITS: {
  readonly [Each in Unit]: (
    heads: readonly Head[],
    of: { config: ModelConfig; window: number; text: string },
  ) => Unitary;
} = {
  all: (heads, { text }) => ({ axes: [{ name: 'heads', labels: [text] }], cells: [heads] }),
  layer: (heads, { window }) => {
    const layers = unique(heads.map(({ layer }) => layer));
    const within = (layer: number): readonly Head[] => {
      const first = layer - Math.floor(window / 2);
      return heads.filter((head) => head.layer >= first && head.layer < first + window);
    };
    return { axes: [{ name: 'layer', labels: layers.map(String) }], cells: layers.map(within) };
  },
  head: (heads) => {
    const layers = unique(heads.map(({ layer }) => layer));
    const names = unique(heads.map(({ head }) => head));
    const axes: Axis[] = [
      { name: 'layer', labels: layers.map(String) },
      { name: 'head', labels: names.map(String) },
    ];
    const own = (layer: number, head: number): Head[] =>
      heads.filter((one) => one.layer === layer && one.head === head).slice(0, 1);
    return { axes, cells: layers.flatMap((layer) => names.map((head) => own(layer, head))) };
  },
};
