/** A circuit by what a user calls it: a run, a shipped reference circuit, or a file in the exchange format. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { nodesIn } from '../../circuit/compare.js';
import { readReference, referenceEdges, referenceNames } from '../../circuit/reference.js';
import type { Universe } from '../../circuit/types.js';
import { makeUniverse } from '../../circuit/universe.js';
import { refuse } from '../../errors.js';
import { REPORT } from '../../report/folders/report.js';
import { readExchange } from '../../report/formats/exchange.js';
import type { ReportRecord } from '../../report/records/report.js';
import { SCORES_FILE } from '../../report/sidecar.js';
import type { Saved } from '../../report/view.js';
import { readTextFile } from '../../task/files/text-file.js';
import { openRun } from '../records/open.js';

export interface OpenedCircuit {
  readonly name: string;
  /** a run of thevenin discover | a reference circuit | a file in the exchange format */
  readonly kind: string;
  readonly universe: Universe;
  /** [edge] 1 = in */
  readonly edges: Uint8Array;
  /** [sender] 1 = in: those its edges touch, or those a source names that has no edges */
  readonly nodes: Uint8Array;
  /** [edge]; NaN = not scored. Null where there are none. */
  readonly scores: Float64Array | null;
  /** of the run that found it */
  readonly run: ReportRecord | null;
}

/**
 * @throws TheveninError circuit/exchange, report/record, file/missing, file/unreadable: what is named is no circuit, or is damaged
 */
export async function openCircuit(given: string): Promise<OpenedCircuit> {
  if ((await referenceNames()).includes(given)) return ofReference(given);
  if (/\.json(\.gz)?$/.test(given) && basename(given) !== REPORT.file) return ofFile(given);
  return ofRun(given);
}

async function ofReference(name: string): Promise<OpenedCircuit> {
  const reference = await readReference(name);
  const universe = makeUniverse(reference.shape);
  const edges = referenceEdges(universe, reference);
  const nodes = nodesIn(universe, edges);
  if (reference.links.length === 0)
    for (const node of Object.values(reference.groups).flat()) nodes[universe.senderIndex(node)!] = 1;
  return { name, kind: 'a reference circuit', universe, edges, nodes, scores: null, run: null };
}

async function ofFile(file: string): Promise<OpenedCircuit> {
  const text = file.endsWith('.gz') ? await unzipped(file) : await readTextFile(file, 'a circuit in the exchange format');
  const { universe, edges, scores } = readExchange(text, { file });
  const isScored = scores.some(Number.isFinite);
  const kind = 'a file in the exchange format';
  return { name: basename(file), kind, universe, edges, nodes: nodesIn(universe, edges), scores: isScored ? scores : null, run: null };
}

async function unzipped(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) =>
    refuse('file/unreadable', `${file}: cannot be read; expected a compressed circuit in the exchange format`, error),
  );
  try {
    return gunzipSync(bytes, { maxOutputLength: 2 ** 29 }).toString('utf8');
  } catch (error) {
    return refuse('circuit/exchange', `${file} cannot be unpacked (${(error as Error).message}); get the file again`, error);
  }
}

async function ofRun(given: string): Promise<OpenedCircuit> {
  const { folder, saved } = await openRun(given);
  if (folder.key !== REPORT.key)
    refuse('report/record', `${given} is a run of another kind (${folder.key}); circuits are found by thevenin discover`);
  const { record, sidecars }: Saved<ReportRecord> = saved;
  const universe = makeUniverse(record.graph.shape);
  const edges = new Uint8Array(universe.edgeCount);
  for (const { index } of record.circuit.edges) edges[index] = 1;
  const scores = sidecars.find(({ file }) => file === SCORES_FILE)?.data;
  return {
    name: `${record.task.name} in ${record.model.name}`,
    kind: 'a run of thevenin discover',
    universe,
    edges,
    nodes: nodesIn(universe, edges),
    scores: scores instanceof Float64Array ? scores : null,
    run: record,
  };
}

/** @throws TheveninError circuit/architecture */
export function requireSameGraph(a: Universe, b: Universe, what: string): void {
  const tell = ({ shape }: Universe): string =>
    `${shape.nLayers} layers of ${shape.nHeads} heads${shape.hasMlp ? ' and an MLP' : ', no MLPs'}${shape.parallelBlocks ? ', in parallel' : ''}`;
  if (tell(a) !== tell(b)) refuse('circuit/architecture', `${what}: ${tell(a)}, and ${tell(b)}; they have no edges in common`);
}
