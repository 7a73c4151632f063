/** Circuits known from the literature, as data with sources (circuits/*.json), to compare findings with. */
import { readdir, readFile } from 'node:fs/promises';
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';
import { parseAddress } from './address.js';
import type { Site } from './address.js';
import { edgesBetween } from './match.js';
import type { GraphShape, ReaderKind, Universe } from './types.js';

/** Every edge from one of `from` into one of `to` that the graph has; heads are read through `reads`. */
interface Link {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly reads?: readonly Exclude<ReaderKind, 'mlp' | 'logits'>[];
}

export interface ReferenceCircuit {
  readonly name: string;
  readonly title: string;
  readonly model: string;
  readonly shape: GraphShape;
  /** what the edges outside the circuit read in the source's own evaluation */
  readonly ablation: string;
  readonly sources: readonly { readonly what: string; readonly where: string }[];
  /** class → nodes */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** between groups or addresses; empty where the source names nodes alone */
  readonly links: readonly Link[];
}

const FOLDER = new URL('../../circuits/', import.meta.url);

/** The names of the circuits shipped with the project. */
export const referenceNames = async (): Promise<string[]> =>
  (await readdir(FOLDER))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

/** Reads a shipped circuit by name. */
export const readReference = async (name: string): Promise<ReferenceCircuit> => {
  const names = await referenceNames();
  if (!names.includes(name))
    refuse('circuit/reference', `no reference circuit "${name}"; there are ${choicesFor(name, names)}`);
  return JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), 'utf8')) as ReferenceCircuit;
};

const sitesOf = (reference: ReferenceCircuit, names: readonly string[]): Site[] =>
  names.flatMap((name) => reference.groups[name] ?? [name]).map((name) => parseAddress(name).stops[0]!);

/** A head as the readers a link means; anything else reads as itself. */
const readersOf = (site: Site, reads: Link['reads'] = ['q', 'k', 'v']): Site[] =>
  site.kind === 'head' ? reads.map((read) => ({ ...site, kind: `read-${read}` as const })) : [site];

const sameShape = (a: GraphShape, b: GraphShape): boolean =>
  a.nLayers === b.nLayers && a.nHeads === b.nHeads && a.hasMlp === b.hasMlp && a.parallelBlocks === b.parallelBlocks;

/** [edge] 1 = in the reference circuit. Refuses a graph of another shape. */
export const referenceEdges = (universe: Universe, reference: ReferenceCircuit): Uint8Array => {
  if (!sameShape(universe.shape, reference.shape)) {
    const { nLayers, nHeads } = reference.shape;
    refuse(
      'circuit/reference',
      `reference circuit ${reference.name} is of ${reference.model} (${nLayers} layers of ${nHeads} heads), not of this model`,
    );
  }
  const edges = new Uint8Array(universe.edgeCount);
  for (const { from, to, reads } of reference.links) {
    const readers = sitesOf(reference, to).flatMap((site) => readersOf(site, reads));
    for (const sender of sitesOf(reference, from)) {
      for (const reader of readers) for (const edge of edgesBetween(universe, sender, reader)) edges[edge] = 1;
    }
  }
  return edges;
};
