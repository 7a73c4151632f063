/** What a report says, as titled tables: the content that the page and the text share. */
import { number, orDash, whole, type Cell, type Table } from '../format.js';
import type { ReportEdge, ReportRecord } from '../records/report.js';
import { capabilityRows, eliminated, evaluation, minimal, splitName } from './judgement.js';

const code = (text: string): Cell => ({ code: text });

const edgeRow = (edge: ReportEdge): Cell[] => [
  code(edge.name),
  number(edge.score, { signed: true }),
  edge.low === null || edge.high === null ? '–' : `[${number(edge.low)}, ${number(edge.high)}]`,
  orDash(edge.exact, { signed: true }),
];

const EDGE_COLUMNS = ['edge', 'score', '95 % interval', 'exact effect'];

const strongest = ({ topEdges, settings }: ReportRecord): Table => ({
  title: 'Strongest edges',
  columns: [...EDGE_COLUMNS, 'in the circuit'],
  rows: topEdges.map((edge) => [...edgeRow(edge), edge.inCircuit ? 'yes' : 'no']),
  note: `Score: ${settings.method.title}. Exact effect: what the metric loses when this edge alone is cut, measured by intervention; – = not measured. Positive = the edge helps the task.`,
});

const TOP_FINER = 20;

const finer = ({ resolved, neurons, settings }: ReportRecord): Table[] => {
  const { title } = settings.method;
  const table = (what: string, top: NonNullable<ReportRecord['neurons']>['top'], note: string): Table => ({
    title: `Strongest edges, ${what}`,
    columns: ['edge', 'score', 'exact effect'],
    rows: top
      .slice(0, TOP_FINER)
      .map(({ name, score, exact }) => [code(name), number(score, { signed: true }), number(exact, { signed: true })]),
    note: `Score: ${title}. Exact effect: what the metric loses when ${note}; such effects need not add up to that of the whole edge.`,
  });
  const at = (top: NonNullable<ReportRecord['resolved']>): Table =>
    table(`by ${top.places}`, top.top, 'the edge is cut at these positions alone');
  return [
    ...(resolved ? [at(resolved)] : []),
    ...(neurons ? [table('of neurons', neurons.top, 'this neuron’s part of the edge alone is cut')] : []),
  ];
};

/** The whole circuit, strongest edge first. */
export const circuitTable = ({ circuit }: ReportRecord): Table => ({
  title: 'The circuit',
  columns: EDGE_COLUMNS,
  rows: [...circuit.edges].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).map(edgeRow),
});

const missed = ({ missed: found }: ReportRecord): Table[] =>
  found === null
    ? []
    : [
        {
          title: 'What may have been missed',
          columns: ['suspect', 'estimate', 'bound of the size', 'exact effect'],
          rows: found.suspects.map(({ name, estimate, bound, exact }) => [
            code(name),
            number(estimate, { signed: true }),
            orDash(bound),
            number(exact, { signed: true }),
          ]),
          note:
            (found.bound === null
              ? `Nothing can be said yet of the ${whole(found.among)} edges whose effects were not measured: there are edges that were cut in fewer than two subsets. `
              : `With confidence ${number(found.confidence)}, none of the ${whole(found.among)} edges whose effects were not measured has an effect above ${number(found.bound)} in size. `) +
            `From ${whole(found.samples)} random subsets of them cut together, each edge in a subset with probability ${number(found.probability)} (Welch’s test, arXiv:2403.00745). ` +
            'It takes for granted that what an edge does among random cuts is on average what it does alone.',
        },
      ];

const noiseRows = ({ noise }: ReportRecord['settings']): Table['rows'] =>
  noise ? [['noise', `scale ${noise.scale}, seed ${noise.seed}`]] : [];

/** What is lost when a sender alone is ablated, where its constant was learned and elsewhere. */
const constantRows = ({ constants }: ReportRecord['settings']): Table['rows'] => {
  const losses = ({ learned, mean, zero, 'other-prompt': other }: Losses): string =>
    `${number(learned)} learned, ${number(mean)} mean, ${number(zero)} zero, ${number(other)} other prompt`;
  return constants
    ? [
        [`lost without a sender (${constants.metric})`, losses(constants.reference)],
        ['… on held-out pairs', losses(constants.heldOut)],
      ]
    : [];
};
type Losses = NonNullable<ReportRecord['settings']['constants']>['reference'];

const searchRows = ({ search }: ReportRecord): Table['rows'] =>
  search
    ? [
        ['edges tried', `${whole(search.tried)}, in the sequential algorithm a forward pass each`],
        ['circuits measured', `${whole(search.circuits)}, in ${whole(search.passes)} goes`],
      ]
    : [];

/** What became of the edges that were chosen. */
const afterwards = ({ circuit, minimal: found }: ReportRecord): string =>
  found?.met
    ? `${whole(found.from.edgeCount)} after pruning, ${whole(circuit.edgeCount)} after elimination`
    : circuit.edgeCount === 0
      ? 'none on a way from the input to the logits: the circuit is empty'
      : `${whole(circuit.edgeCount)} after pruning`;

const method = (record: ReportRecord): Table => {
  const { settings, circuit, graph } = record;
  const { riemann, selection, direction } = settings;
  return {
    title: 'Method and conventions',
    columns: ['', 'value'],
    rows: [
      ['method', `${settings.method.title} (${settings.method.reference})`],
      ['direction', direction ?? '–'],
      ['sign', settings.sign],
      ['Riemann sum', riemann === null ? '–' : `${riemann.rule}, ${riemann.steps} steps`],
      ['cut edges read', settings.ablation],
      ...noiseRows(settings),
      ...constantRows(settings),
      [
        'selection',
        `${selection.rule} by ${selection.by} score, ${Number.isInteger(selection.requested) ? whole(selection.requested) : number(selection.requested)} requested`,
      ],
      ['edges', `${whole(circuit.chosen)} chosen, ${afterwards(record)}, of ${whole(graph.edges)}`],
      ...searchRows(record),
      ['ties left out at the cut', whole(circuit.tiesLeftOut)],
      ['seed', `${settings.seed}`],
    ],
  };
};

const task = ({ task: asked, capability, settings }: ReportRecord): Table => {
  const { discover, choose, report, whole: undivided, seed } = asked.splits;
  return {
    title: 'Task',
    columns: ['', 'value'],
    rows: [
      ['name', asked.name],
      ['provenance', asked.provenance],
      ['metric', asked.metric],
      [
        'pairs',
        undivided
          ? `${whole(asked.pairs)}, every pair in every split`
          : `${whole(asked.pairs)}: ${discover} discover, ${choose} choose, ${report} report (seed ${seed})`,
      ],
      ['BOS prepended', asked.bos ? 'yes' : 'no'],
      ...capabilityRows(capability, settings),
      ...asked.dropped.map(({ reason, items }) => [`left out: ${reason}`, items.join(', ')]),
      ['SHA-256', code(asked.sha256)],
    ],
  };
};

const model = ({ model: studied, graph, versions }: ReportRecord): Table => ({
  title: 'Model and machine',
  columns: ['', 'value'],
  rows: [
    ['model', `${studied.name} (${studied.architecture})`],
    [
      'graph',
      `${graph.shape.nLayers} layers of ${graph.shape.nHeads} heads${graph.shape.hasMlp ? ' and an MLP' : ''}: ${whole(graph.edges)} edges`,
    ],
    ['weights SHA-256', code(studied.weightsSha256)],
    ['tokenizer SHA-256', studied.tokenizerSha256 === null ? '–' : code(studied.tokenizerSha256)],
    ['Thevenin', `${versions.thevenin}, Node ${versions.node}`],
    ['runtime', `${versions.runtime.key} ${versions.runtime.version}, ${versions.runtime.detail}`],
  ],
});

const cost = ({ cost: paid, timings }: ReportRecord): Table => ({
  title: 'Cost',
  columns: ['', 'value'],
  rows: [
    ['tokens run', whole(paid.tokens)],
    ['forward passes, pairs', whole(paid.forwardPasses)],
    ['backward passes, pairs', whole(paid.backwardPasses)],
    ...timings.stages.map(({ stage, seconds }) => [stage, `${number(seconds)} s`]),
    ['together', `${number(timings.totalSeconds)} s`],
  ],
});

const files = ({ sidecars }: ReportRecord): Table[] =>
  sidecars.length === 0
    ? []
    : [
        {
          title: 'Files',
          columns: ['file', 'what', 'axes', 'SHA-256'],
          rows: sidecars.map(({ file, what, axes, shape, sha256 }) => [
            code(file),
            what,
            axes.map((axis, i) => `${axis} (${whole(shape[i] ?? 0)})`).join(' × '),
            code(sha256),
          ]),
        },
      ];

/** The findings: what a reader looks for first. */
export const findings = (record: ReportRecord): Table[] => [
  evaluation(record),
  strongest(record),
  ...finer(record),
  ...minimal(record),
  ...missed(record),
];

/** What is needed to judge them or to run them again. */
export const circumstances = (record: ReportRecord): Table[] => [
  method(record),
  task(record),
  model(record),
  cost(record),
  ...files(record),
];

/** The finding in one sentence. */
export const headline = (record: ReportRecord): string => {
  const { circuit, graph, evaluation: measured, model: studied, task: asked } = record;
  if (circuit.edgeCount === 0)
    return `${asked.name} in ${studied.name}: the circuit is empty, none of ${whole(graph.edges)} edges is in it.`;
  const heads = circuit.nodes.filter((name) => name.startsWith('a')).length;
  const mlps = circuit.nodes.filter((name) => name.startsWith('m')).length;
  const parts = [
    `${whole(circuit.edgeCount)} of ${whole(graph.edges)} edges (${whole(heads)} heads, ${whole(mlps)} MLPs)`,
  ];
  const kept =
    measured.faithfulness === null
      ? 'whose faithfulness is undefined'
      : `with faithfulness ${number(measured.faithfulness)} on ${splitName(record)}`;
  return `${asked.name} in ${studied.name}: ${parts.join('')} ${kept}${eliminated(record)}.`;
};
