/**
 * What each method says of the models in docs/failures/models.ts, noising (on) and denoising (off: the pair turned round). Every number
 * is worked out on paper from the models' weights; none is recorded.
 */
import { expect } from 'chai';
import type { Answered } from '../../../docs/failures/scores.js';

/** Scores by edge; an edge that is not named scores 0. */
export type Scores = Readonly<Record<string, number>>;
/** What is said of the clean prompt (noising), and of the pair turned round (denoising): scores, or what must be true of them. */
export type Expected = Scores | ((answered: Answered) => void);
export interface Row {
  readonly on: Expected;
  readonly off: Expected;
  /** how many edges a method that learns masks may keep, on and off; default 4 */
  readonly edges?: readonly [number, number];
}

/** The same number for every edge whose name fits. */
const each = (names: readonly string[], score: (name: string) => number): Scores =>
  Object.fromEntries(names.map((name) => [name, score(name)]));

/** Scores in no order of the model's: of every prompt and model, the same numbers. */
const drawn: Expected = ({ scores }) => {
  const first = [...scores.values()];
  expect(Math.min(...first)).to.be.at.least(0);
  expect(Math.max(...first)).to.be.below(1);
  expect(new Set(first).size, 'all different').to.equal(first.length);
};

/** A circuit of whole edges that was found, whatever its scores. */
const finds =
  (...circuits: (readonly string[])[]): Expected =>
  ({ scores, found }) => {
    const open = found ?? [...scores].flatMap(([edge, score]) => (score > 0.5 ? [edge] : []));
    expect(circuits.map((circuit) => [...circuit].sort())).to.deep.include([...open].sort());
  };

const GATE = [
  ...['input->a0.h0<q>', 'input->a0.h0<k>', 'input->a0.h0<v>', 'input->a0.h1<q>', 'input->a0.h1<k>'],
  ...['input->a0.h1<v>', 'input->m0', 'a0.h0->m0', 'a0.h1->m0', 'input->logits', 'a0.h0->logits', 'a0.h1->logits'],
  'm0->logits',
];
/** The edges of one way through a gate. */
const arm = (head: 0 | 1): string[] => [`input->a0.h${head}<v>`, `a0.h${head}->m0`, 'm0->logits'];
const BOTH = [...new Set([...arm(0), ...arm(1)])];

/** Scores of the bits' edges into the heads, of the heads into the MLP, and of the MLP into the logits; both heads alike. */
const gate = (bits: number, heads: number, out: number): Scores => ({
  ...{ 'input->a0.h0<v>': bits, 'input->a0.h1<v>': bits, 'a0.h0->m0': heads, 'a0.h1->m0': heads, 'm0->logits': out },
});

/** One arm and its way out; the other arm has nothing. */
const oneArm = (head: 0 | 1, score: number): Scores => each(arm(head), () => score);

/**
 * With all bits on a stream holds a = b = A = B = G = 1 at its end: the embedding, which no one reads, is two of the four numbers
 * that the MLP sees and two of the five that the logits see. All there is to queries, keys and values is the embedding.
 */
const GATE_ROUTES: Scores = each(GATE, (edge) => {
  if (edge.endsWith('m0')) return edge.startsWith('input') ? 2 / 4 : 1 / 4;
  if (edge.endsWith('logits')) return edge.startsWith('input') ? 2 / 5 : 1 / 5;
  return 1;
});
/** |(1, 1)| of the embedding, 1 of everything else. */
const GATE_MAGNITUDE: Scores = each(GATE, (edge) => (edge.startsWith('input') ? Math.SQRT2 : 1));

/** Which head's way through a found circuit has: the other's edges, if any, are dead ends. */
export function wayThrough(found: readonly string[]): 0 | 1 | null {
  const whole = ([0, 1] as const).filter((head) => arm(head).every((edge) => found.includes(edge)));
  return whole.length === 1 ? whole[0]! : null;
}

/** 4 edges leave room for one way through and a dead end. */
const oneWay: Expected = ({ found }) => expect(wayThrough(found!)).to.be.oneOf([0, 1]);

/** Nodes closed: none or the second head; all edges between open nodes tie, those that carry nothing too. */
const between = (...nodes: readonly string[]): string[] =>
  GATE.filter((edge) =>
    edge.split(/->|</).every((part) => [...nodes, 'input', 'logits', 'q>', 'k>', 'v>'].includes(part)),
  );
const noneClosed = finds(between('a0.h0', 'a0.h1', 'm0'));
const oneClosed = finds(between('a0.h0', 'm0'), between('a0.h1', 'm0'));

/** Where every number is 0 there is nothing to contribute, nothing to lose and nothing to measure. */
const NOTHING: Scores = {};

/**
 * A = B = 1 on the clean prompt, 0 on the corrupt one; both go from one to the other together along the line of integration. The
 * logit difference is 2 G − 1.
 *
 * OR, G = 1 − relu(1 − A − B). On: without A there is B, the neuron stays off, and its slope is 0. Off: either bit brings G back
 * (+2), and the slope is 1 as far as one bit goes. Half-way, from A + B = 1 on, the slope changes from 1 to 0.
 */
export const OR: Readonly<Record<string, Row>> = {
  exact: { on: gate(0, 0, 2), off: gate(2, 2, 2) },
  eap: { on: gate(0, 0, 2), off: gate(2, 2, 2) },
  'clean-corrupted': { on: gate(1, 1, 2), off: gate(1, 1, 2) }, // of slopes 0 and 2
  'eap-ig': { on: gate(1, 1, 2), off: gate(1, 1, 2) }, // 2 at two points of four
  // groups: embedding, heads, MLP. Into the MLP: 1 + 1, and nothing past the MLP that was set; into the heads: 1 + nothing
  'eap-ig-activations': { on: gate(1 / 3, 2 / 3, 2), off: gate(1 / 3, 2 / 3, 2) },
  'atp-star': { on: gate(0, 0, 2), off: gate(2, 2, 2) }, // its fix is of the softmax: here is none
  'atp-star-graddrop': { on: gate(0, 0, 2), off: gate(2, 2, 2) }, // no other layer to drop
  relp: { on: gate(0, 0, 2), off: gate(2, 2, 2) }, // relu(−1) / −1 = 0, relu(1) / 1 = 1
  gim: { on: gate(0, 0, 2), off: gate(1, 2, 2) }, // half for a value
  acdc: { on: oneArm(0, 2), off: gate(2, 2, 2) }, // a0.h1 is tried first: it is missed by no one; then a0.h0 is
  'edge-pruning': { on: oneWay, off: finds(BOTH), edges: [4, 5] },
  'subnetwork-probing': { on: oneClosed, off: noneClosed },
  'information-flow-routes': { on: GATE_ROUTES, off: NOTHING },
  // of the layer's nodes the MLP alone has a slope; what lies between it, the input and the logits is as important
  hisp: { on: { 'input->m0': 1, 'm0->logits': 1, 'input->logits': 1 }, off: NOTHING },
  magnitude: { on: GATE_MAGNITUDE, off: NOTHING },
  random: { on: drawn, off: drawn },
};

/**
 * AND, G = relu(A + B − 1). On: either bit takes G along (−2), and the slope is 1 as far as one bit goes. Off: one bit alone brings
 * nothing, the neuron stays off, and its slope is 0. What noising sees of the one gate, denoising sees of the other.
 */
export const AND: Readonly<Record<string, Row>> = {
  exact: { on: gate(2, 2, 2), off: gate(0, 0, 2) },
  eap: { on: gate(2, 2, 2), off: gate(0, 0, 2) },
  'clean-corrupted': { on: gate(1, 1, 2), off: gate(1, 1, 2) },
  'eap-ig': { on: gate(1, 1, 2), off: gate(1, 1, 2) },
  'eap-ig-activations': { on: gate(1 / 3, 2 / 3, 2), off: gate(1 / 3, 2 / 3, 2) },
  'atp-star': { on: gate(2, 2, 2), off: gate(0, 0, 2) },
  'atp-star-graddrop': { on: gate(2, 2, 2), off: gate(0, 0, 2) },
  relp: { on: gate(2, 2, 2), off: gate(0, 0, 2) },
  gim: { on: gate(1, 2, 2), off: gate(0, 0, 2) },
  acdc: { on: gate(2, 2, 2), off: oneArm(0, 2) }, // off: once a0.h1 reads its bit on, a0.h0 alone keeps the gate off
  'edge-pruning': { on: finds(BOTH), off: oneWay, edges: [5, 4] },
  'subnetwork-probing': { on: noneClosed, off: oneClosed },
  'information-flow-routes': { on: GATE_ROUTES, off: NOTHING },
  // both heads and the MLP have a slope of 2: 2 / √(2² + 2² + 2²), and so has every edge between them
  hisp: { on: each(GATE, () => 1 / Math.sqrt(3)), off: NOTHING },
  magnitude: { on: GATE_MAGNITUDE, off: NOTHING },
  random: { on: drawn, off: drawn },
};

const [FIRST, DIRECT, NOTICE, WORD, SECOND] = [
  'input->a0.h0<v>',
  'a0.h0->logits',
  'a0.h0->a1.h0<q>',
  'input->a1.h0<v>',
  'a1.h0->logits',
] as const;
const QKV = ['q', 'k', 'v'] as const;
const BACKUP = [
  ...QKV.map((role) => `input->a0.h0<${role}>`),
  ...QKV.flatMap((role) => [`input->a1.h0<${role}>`, `a0.h0->a1.h0<${role}>`]),
  ...['input->logits', DIRECT, SECOND],
];
const PRIMARY = [FIRST, DIRECT];
/**
 * |embedding| = √(1 + 2 + 1) with the bit, √3 without. At the end the stream is the end's 1 and P's 1; at the other two places of
 * three, the embedding alone.
 */
const BACKUP_ROUTES: Scores = each(
  BACKUP.filter((edge) => edge !== SECOND),
  (edge) => (edge.startsWith('a0') ? 1 / 6 : edge.startsWith('input->a0') ? 1 : 5 / 6),
);
/** |P| = 1; the backup says nothing. */
const BACKUP_MAGNITUDE: Scores = each(
  BACKUP.filter((edge) => edge !== SECOND),
  (edge) => (edge.startsWith('input') ? 2 : 1),
);
/** The first head silent: only the embedding is there. */
const fromInput = (score: number): Scores =>
  each(
    BACKUP.filter((edge) => edge.startsWith('input')),
    () => score,
  );

/**
 * The logit difference is 2 (P + R) − 1. On: P = 1, the second head rests (R = 0). Without the word's bit P is 0, the second head
 * looks at the word and R is 1: nothing is lost. With P cut from the logits alone, 2 are lost; with P cut from the second head's
 * query alone, both speak: 2 too many. Off: P = 0, the second head looks at the word, whose bit is 0; either head, given the bit,
 * brings 2 back. Attention has decided everywhere but where P = ½: its slope is 0.
 */
export const BACKUP_ROWS: Readonly<Record<string, Row>> = {
  exact: { on: { [DIRECT]: 2, [NOTICE]: -2 }, off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 2 } },
  eap: { on: { [FIRST]: 2, [DIRECT]: 2 }, off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 2 } },
  'clean-corrupted': {
    on: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 1 },
    off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 1 },
  },
  // below ½, at two points of four, the second head looks at the word
  'eap-ig': { on: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 1 }, off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 1 } },
  // groups: embedding (as above), first head (P moves, so the word is seen half the time; nothing goes back through it), second head
  'eap-ig-activations': {
    on: { [FIRST]: (2 + 0 + 2) / 3, [DIRECT]: 2, [WORD]: (1 + 1 + 0) / 3 },
    off: { [FIRST]: (2 + 0 + 2) / 3, [DIRECT]: 2, [WORD]: (1 + 1 + 0) / 3 },
  },
  // the softmax recomputed: as exact; to the first head go 2 and −2
  'atp-star': { on: { [DIRECT]: 2, [NOTICE]: -2 }, off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 2 } },
  // the second layer dropped, the first head's 2 have nothing to cancel them; sizes only
  'atp-star-graddrop': {
    on: { [FIRST]: 2, [DIRECT]: 2, [NOTICE]: 2 },
    off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 2 },
  },
  relp: { on: { [FIRST]: 2, [DIRECT]: 2 }, off: { [FIRST]: 2, [DIRECT]: 2, [WORD]: 2 } },
  gim: { on: { [FIRST]: 1, [DIRECT]: 2 }, off: { [FIRST]: 1, [DIRECT]: 2, [WORD]: 1 } },
  acdc: { on: { [FIRST]: 2, [DIRECT]: 2 }, off: { [FIRST]: 2, [DIRECT]: 2 } }, // the second head is tried first
  'edge-pruning': {
    on: finds(PRIMARY, [WORD, SECOND]),
    off: finds(PRIMARY, [WORD, SECOND]),
    edges: [2, 2],
  },
  'subnetwork-probing': {
    on: finds([...QKV.map((role) => `input->a0.h0<${role}>`), DIRECT, 'input->logits']),
    off: finds([...QKV.map((role) => `input->a0.h0<${role}>`), DIRECT, 'input->logits']),
  },
  'information-flow-routes': { on: BACKUP_ROUTES, off: fromInput(1) },
  // alone in its layer, whatever the second head does is divided by itself: e^−64 is as important as anything
  hisp: { on: each(BACKUP, () => 1), off: NOTHING },
  magnitude: { on: BACKUP_MAGNITUDE, off: fromInput(Math.sqrt(3)) },
  random: { on: drawn, off: drawn },
};
