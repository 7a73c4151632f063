/** A data set or a circuit of another library as a task file or as a circuit in the exchange format. */
import writeFileAtomic from 'write-file-atomic';
import { lstat } from 'node:fs/promises';
import { readEdgeList } from '../../circuit/edge-list.js';
import { NAMINGS } from '../../circuit/names.js';
import { countIn } from '../../circuit/prune.js';
import { makeUniverse } from '../../circuit/universe.js';
import { refuse } from '../../errors.js';
import { loadModel } from '../../model/load.js';
import type { Model } from '../../model/types.js';
import { choicesFor } from '../../nearest.js';
import { readExchange, writeExchange } from '../../report/formats/exchange.js';
import { readTextFile } from '../../task/files/text-file.js';
import { importTask } from '../../task/importers/index.js';

/** What a library writes. One line each; `null`: it has none of that kind. */
interface Source {
  readonly key: string;
  readonly title: string;
  /** the importer of its data sets */
  readonly dataSet: string | null;
  /** its circuits are in the exchange format */
  readonly graphs: boolean;
  /** its circuits are lists of edges in these names */
  readonly names: string | null;
}

export const SOURCES: readonly Source[] = [
  { key: 'eap-ig', title: 'CSV of prompts, or a graph JSON', dataSet: 'eap-ig-csv', graphs: true, names: null },
  { key: 'mib', title: 'a data set, or a graph JSON', dataSet: 'mib', graphs: true, names: null },
  { key: 'auto-circuit', title: 'a data set, or a list of edges', dataSet: 'auto-circuit', graphs: false, names: 'auto-circuit' },
  { key: 'acdc', title: 'a list of edges', dataSet: null, graphs: false, names: 'acdc' },
  { key: 'feature-circuits', title: 'a data set', dataSet: 'feature-circuits', graphs: false, names: null },
];

export interface ImportRequest {
  readonly file: string;
  readonly from: string;
  /** the file that is written */
  readonly out: string;
  /** of a data set: pairs that do not fit it are left out; of a list of edges: the model that they are of */
  readonly model?: string | undefined;
  /** of a task; default the library's name */
  readonly name?: string | undefined;
  /** of a data set with several: the column that holds the corrupt prompt */
  readonly corrupt?: string | undefined;
  /** of a graph: its scores times this are means over pairs */
  readonly scale?: number | undefined;
  readonly overwrite?: boolean | undefined;
}

export type Imported =
  | { readonly kind: 'task'; readonly out: string; readonly pairs: number; readonly note: string }
  | { readonly kind: 'circuit'; readonly out: string; readonly edges: number; readonly of: number; readonly note: string };

/**
 * Reads what `from` wrote and writes a task file or a circuit, which `discover`, `evaluate` and `compare` take.
 * @throws TheveninError cli/usage, file/exists, task/import, circuit/exchange
 */
export async function importFile(request: ImportRequest): Promise<Imported> {
  const keys = SOURCES.map(({ key }) => key);
  const source =
    SOURCES.find(({ key }) => key === request.from) ??
    refuse('cli/usage', `nothing is imported from "${request.from}"; choose ${choicesFor(request.from, keys)}`);
  const there = await lstat(request.out).catch(() => null);
  if (there !== null && !(request.overwrite && there.isFile()))
    refuse('file/exists', `${request.out} is there already; name another file, or give --overwrite to replace it`);
  const text = await readTextFile(request.file, source.title);
  const { content, ...imported } = await read(source, text, request);
  await writeFileAtomic(request.out, content);
  return imported;
}

type Read = Imported & { readonly content: string };

const isGraph = (text: string): boolean => /^\s*\{\s*"(cfg|nodes|edges)"\s*:/.test(text);
const isEdgeList = (text: string): boolean => /^(?!\s*[{[]).*->/m.test(text);

function read(source: Source, text: string, request: ImportRequest): Promise<Read> {
  const naming = NAMINGS.find(({ key }) => key === source.names);
  if (source.graphs && isGraph(text)) return Promise.resolve(graph(text, request));
  if (naming && (source.dataSet === null || isEdgeList(text))) return edgeList(text, { request, naming });
  if (source.dataSet === null)
    return refuse('circuit/exchange', `${request.file}: expected ${source.title} of ${source.key}`);
  return dataSet(text, { request, importer: source.dataSet });
}

function graph(text: string, { file, out, scale }: ImportRequest): Read {
  const circuit = readExchange(text, { file, ...(scale === undefined ? {} : { scale }) });
  const { edgeCount } = circuit.universe;
  return { kind: 'circuit', out, edges: countIn(circuit.edges), of: edgeCount, note: '', content: writeExchange(circuit) };
}

const withModel = async <T>(name: string, work: (model: Model) => T): Promise<T> => {
  const model = await loadModel(name);
  try {
    return work(model);
  } finally {
    await model.dispose();
  }
};

function edgeList(text: string, { request, naming }: { request: ImportRequest; naming: (typeof NAMINGS)[number] }): Promise<Read> {
  const { file, out, model } = request;
  if (model === undefined)
    return refuse('cli/usage', `${file}: a list of edges does not say of which model; give it with --model`);
  return withModel(model, ({ config }) => {
    const { nLayers, nHeads, dMlp, dModel, parallelBlocks } = config;
    const universe = makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });
    const { edges, scores, wiring } = readEdgeList(universe, text, { naming, file });
    const note = wiring === 0 ? '' : `${wiring} lines left out: they lead from a query, key or value into its own head`;
    const content = writeExchange({ universe, dModel, scores, edges });
    return { kind: 'circuit', out, edges: countIn(edges), of: universe.edgeCount, note, content };
  });
}

async function dataSet(text: string, { request, importer }: { request: ImportRequest; importer: string }): Promise<Read> {
  const { file, out, model, name, corrupt } = request;
  const options = {
    path: file,
    name: name ?? request.from,
    ...(corrupt === undefined ? {} : { corrupt }),
  };
  const task =
    model === undefined
      ? importTask(importer, text, options)
      : await withModel(model, ({ tokenizer, config }) => importTask(importer, text, { ...options, model: { tokenizer, config } }));
  const { provenance } = task;
  const dropped = typeof provenance === 'object' ? (provenance.dropped ?? []) : [];
  const note = dropped.map(({ reason, count }) => `${count} left out: ${reason}`).join('; ');
  return { kind: 'task', out, pairs: task.pairs.length, note, content: `${JSON.stringify(task, null, 2)}\n` };
}
