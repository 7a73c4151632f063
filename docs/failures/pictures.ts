/** The pictures of `docs/failures.md`: the models and the methods run anew. */
import { prune } from '../../src/circuit/prune.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { METHODS } from '../../src/attribution/edges/index.js';
import { createRuntime } from '../../src/runtime/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { BACKUP_SKETCH, drawGraphs, GATE_SKETCH, type Panel } from './graphs.js';
import { andGate, backupHead, orGate, turned, type Known } from './models.js';
import { scoresOf, type Asked } from './scores.js';
import { drawTable, type TableRow } from './tables.js';

type Picture = (runtime: Runtime) => Promise<string>;
type Scores = ReadonlyMap<string, number>;

interface Wanted extends Omit<Asked, 'runtime' | 'examples'> {
  readonly denoising?: boolean;
}

const ofMethod = async (known: Known, key: string, { denoising = false, ...asked }: Wanted & { runtime: Runtime }) =>
  scoresOf(known, key, { ...asked, examples: [denoising ? turned(known.example) : known.example] });

/** 1 for every edge of a circuit that was found, dead ends pruned. */
async function kept(known: Known, key: string, asked: Wanted & { runtime: Runtime }): Promise<Scores> {
  const { scores, found } = await ofMethod(known, key, asked);
  const { nLayers, nHeads, dMlp, parallelBlocks } = known.model.config;
  const universe = makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });
  const names = [...scores.keys()];
  const chosen = Uint8Array.from(names, (name) => Number(found ? found.includes(name) : scores.get(name)! > 0.5));
  const left = prune(universe, chosen);
  return new Map(names.map((name, edge) => [name, left[edge]!]));
}

const CIRCUIT = (note: string): Panel => ({ title: 'the circuit', note, scores: null });

/** Panels of methods: title, note, method, options. */
type Shown = readonly [title: string, note: string, key: string, wanted?: Wanted];

const panels =
  (known: Known, shown: readonly Shown[]) =>
  async (runtime: Runtime): Promise<Panel[]> => {
    const drawn: Panel[] = [];
    for (const [title, note, key, wanted = {}] of shown)
      drawn.push({ title, note, scores: (await ofMethod(known, key, { ...wanted, runtime })).scores });
    return drawn;
  };

const WAYS: readonly Shown[] = [
  ['exact', 'noising', 'exact'],
  ['exact', 'denoising', 'exact', { denoising: true }],
  ['EAP', 'noising', 'eap'],
  ['EAP-IG', '4 midpoints', 'eap-ig'],
];

const gatePicture =
  (make: () => Known, note: string): Picture =>
  async (runtime) => {
    const known = make();
    const drawn = [CIRCUIT(note), ...(await panels(known, WAYS)(runtime))];
    return drawGraphs(`${known.name}: ${note}`, drawn, { sketch: GATE_SKETCH, circuit: known.circuit });
  };

const backupPicture =
  (
    title: string,
    shown: readonly Shown[],
    { first, more = [] }: { first?: Panel; more?: readonly string[] } = {},
  ): Picture =>
  async (runtime) => {
    const known = backupHead();
    const drawn = [...(first ? [first] : []), ...(await panels(known, shown)(runtime))];
    return drawGraphs(title, drawn, { sketch: BACKUP_SKETCH, circuit: [...known.circuit, ...more] });
  };

const oneOfTwo: Picture = async (runtime) => {
  const known = orGate();
  const pruning = (seed: number): Wanted => ({ options: { seed } });
  const ordered = (order: 'reverse' | 'normal'): Wanted => ({ options: { order } });
  const shown: readonly Shown[] = [
    ['ACDC', 'order reverse', 'acdc', ordered('reverse')],
    ['ACDC', 'order normal', 'acdc', ordered('normal')],
    ['edge pruning', 'seed 0', 'edge-pruning', pruning(0)],
    ['edge pruning', 'seed 1', 'edge-pruning', pruning(1)],
  ];
  const drawn: Panel[] = [];
  for (const [title, note, key, wanted = {}] of shown)
    drawn.push({ title, note, scores: await kept(known, key, { ...wanted, runtime }) });
  const title = 'Circuits of an OR gate: each keeps one of its inputs';
  return drawGraphs(title, drawn, { sketch: GATE_SKETCH, circuit: known.circuit });
};

const contributions: Picture = async (runtime) => {
  const known = andGate();
  const shown: readonly Shown[] = [
    ['exact', 'noising', 'exact'],
    ['routes', 'shares of what is read', 'information-flow-routes'],
    ['HISP', 'importance of nodes', 'hisp'],
    ['magnitude', 'a baseline', 'magnitude'],
  ];
  const drawn = await panels(known, shown)(runtime);
  return drawGraphs('An AND gate by contributions', drawn, { sketch: GATE_SKETCH, circuit: known.circuit });
};

/** Methods that leave a circuit behind rather than a ranking: 1 = kept. */
const KEEPS = ['edge-pruning', 'subnetwork-probing'];

const methodsPicture =
  (make: () => Known, edges: (denoising: boolean) => number): Picture =>
  async (runtime) => {
    const known = make();
    const rows: TableRow[] = [];
    const block = async (key: string, denoising: boolean): Promise<Scores> => {
      const asked = { runtime, denoising, options: { edges: edges(denoising) } };
      return KEEPS.includes(key) ? kept(known, key, asked) : (await ofMethod(known, key, asked)).scores;
    };
    const keys = METHODS.map(({ key }) => key);
    for (const key of ['exact', ...keys.filter((one) => one !== 'exact')])
      rows.push({ title: key, blocks: [await block(key, false), await block(key, true)] });
    const all = [...rows[0]!.blocks[0].keys()];
    const of = { edges: all, circuit: known.circuit };
    return drawTable(`What every method says of every edge: ${known.name}`, rows, of);
  };

const INTEGRAL = (steps: number): Wanted => ({ options: { steps } });
const CONSTANTS = ['input->a0.h0<q>', 'input->a0.h0<k>', 'input->a1.h0<k>'];

/** file name → picture */
const PICTURES: Readonly<Record<string, Picture>> = {
  'or-gate': gatePicture(orGate, 'either bit is enough'),
  'and-gate': gatePicture(andGate, 'both bits are needed'),
  'backup-head': backupPicture(
    'A head with a backup',
    [
      ['exact', 'noising', 'exact'],
      ['exact', 'denoising', 'exact', { denoising: true }],
      ['EAP', 'noising', 'eap'],
      ['AtP*', 'noising', 'atp-star'],
      ['AtP*, GradDrop', 'sizes only', 'atp-star-graddrop'],
    ],
    { first: CIRCUIT('a1.h0 speaks if a0.h0 does not') },
  ),
  'one-of-two': oneOfTwo,
  points: backupPicture('Points on a line with a jump', [
    ['exact', 'noising', 'exact'],
    ['EAP-IG', '4 midpoints: beside it', 'eap-ig', INTEGRAL(4)],
    ['EAP-IG', '5 midpoints: on it', 'eap-ig', INTEGRAL(5)],
    ['EAP-IG', '2001 midpoints', 'eap-ig', INTEGRAL(2001)],
  ]),
  contributions,
  constants: backupPicture(
    'What is the same on both prompts',
    [
      ['exact', 'source: other prompt', 'exact'],
      ['exact', 'source: zero', 'exact', { source: 'zero' }],
      ['EAP', 'source: zero', 'eap', { source: 'zero' }],
    ],
    { more: CONSTANTS },
  ),
  'or-gate-methods': methodsPicture(orGate, (denoising) => (denoising ? 5 : 4)),
  'and-gate-methods': methodsPicture(andGate, (denoising) => (denoising ? 4 : 5)),
  'backup-head-methods': methodsPicture(backupHead, () => 2),
};

/** Files and what is in them; the slow float64 runtime says the same on every machine. */
export const FAILURE_PICTURES = Object.entries(PICTURES).map(([name, picture]) => ({
  path: `docs/pictures/${name}.svg`,
  content: async (): Promise<string> => {
    const runtime = await createRuntime('reference', { threads: 1 });
    try {
      return await picture(runtime);
    } finally {
      await runtime.dispose();
    }
  },
}));
