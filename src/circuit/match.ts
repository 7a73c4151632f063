/** Which senders, readers and edges of a universe an address with wildcards stands for. */
import type { Index, Site } from './address.js';
import type { Reader, Sender, Universe } from './types.js';

const fits = (index: Index | undefined, value: number): boolean =>
  index === undefined || index === '*' || index === value;

const READS: Readonly<Record<Reader['kind'], readonly Site['kind'][]>> = {
  q: ['read-q', 'read-any'],
  k: ['read-k', 'read-any'],
  v: ['read-v', 'read-any'],
  mlp: ['mlp'],
  logits: ['logits'],
};

const isSender = (site: Site, { kind, layer, head }: Sender): boolean =>
  site.kind === 'any' || (site.kind === kind && fits(site.layer, layer) && fits(site.head, head));

const isReader = (site: Site, { kind, layer, head }: Reader): boolean =>
  site.kind === 'any' || (READS[kind].includes(site.kind) && fits(site.layer, layer) && fits(site.head, head));

/** Senders of a universe, by index, that an address with wildcards stands for. */
export const sendersAt = (universe: Universe, site: Site): number[] =>
  [...universe.senders.keys()].filter((s) => isSender(site, universe.senders[s]!));

/** Readers likewise. */
export const readersAt = (universe: Universe, site: Site): number[] =>
  [...universe.readers.keys()].filter((r) => isReader(site, universe.readers[r]!));

/** The edges from a sender that fits `from` into a reader that fits `to`, in canonical order; none where nothing fits. */
export const edgesBetween = (universe: Universe, from: Site, to: Site): number[] => {
  const [senders, readers] = [sendersAt(universe, from), readersAt(universe, to)];
  const edges = readers.flatMap((r) => senders.map((s) => universe.edgeBetween(s, r)).filter((edge) => edge >= 0));
  return edges.sort((a, b) => a - b);
};
