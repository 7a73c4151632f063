/**
 * ACDC (Conmy et al. 2304.14997): starting from the whole model, every edge in turn is cut, and stays cut if the metric of what is
 * left falls by less than τ.
 *
 * A naive loop waits for each answer before it knows the next question. Here the next questions are asked together, on the guess
 * of how the ones before them will be decided; answers are used in order, up to the first guess that was wrong. What comes after
 * it was asked of the wrong circuit and is asked again. So every decision is the naive loop's, on the same circuits.
 *
 * A circuit costs less than a forward pass, where part of it is cut away or known. What that has saved is what may be lost on wrong
 * guesses: never are more asked at once than would, were each of them a whole pass and only the first of use, still cost less than
 * the naive loop.
 */
import type { Universe } from '../../../circuit/types.js';
import { nodeOfReader } from '../../../circuit/universe.js';
import { edgeOrder, type AcdcOrder } from './order.js';

export interface AcdcRule {
  /** in the metric's unit */
  readonly tau: number;
  readonly order: AcdcOrder;
  /** `signed` also cuts edges without which the metric rises; `absolute` keeps all that move it by τ or more */
  readonly test: 'signed' | 'absolute';
}

export interface AcdcOutcome {
  /** [edge] 1 = never cut */
  readonly keep: Uint8Array;
  /** [edge] what cutting cost when it was tried, metric before − after; 0 where it was not tried */
  readonly effects: Float64Array;
  /** metric of the circuit found */
  readonly value: number;
  /** edges tried: passes of the naive loop */
  readonly tried: number;
  /** questions asked together count once */
  readonly passes: number;
  /** circuits measured, those of wrong guesses included */
  readonly circuits: number;
}

/** The metric of circuits ([edge] 1 = kept), higher = better. */
export type Measure = (circuits: readonly Uint8Array[]) => Promise<readonly number[]>;

/** What has been decided: the edges left, their metric, and the place of the next edge to try. */
interface State {
  readonly keep: Uint8Array;
  readonly value: number;
  readonly next: number;
}

interface Tried {
  readonly edge: number;
  /** place after the edge's in the order */
  readonly next: number;
  readonly without: Uint8Array;
  /** which trial's circuit this one is compared with, if all guesses are right: −1 = the state's */
  readonly before: number;
}

const MOST_AT_ONCE = 64;

export async function search(
  universe: Universe,
  rule: AcdcRule,
  given: {
    readonly measure: Measure;
    /** forward passes that measuring has taken so far; left out: guesses are free */
    readonly spent?: () => number;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<AcdcOutcome> {
  const order = edgeOrder(universe, rule.order);
  const isCut = (loss: number): boolean => (rule.test === 'signed' ? loss : Math.abs(loss)) < rule.tau;
  const effects = new Float64Array(universe.edgeCount);
  const guess = new Uint8Array(universe.edgeCount).fill(1); // 1: will be cut, as most are
  const whole = new Uint8Array(universe.edgeCount).fill(1);
  let state: State = { keep: whole, value: (await given.measure([whole]))[0] as number, next: 0 };
  let [atOnce, tried, passes, circuits] = [16, 0, 0, 0];
  for (;;) {
    // so far the loop has taken a pass for the whole model and one for each edge tried
    const affordable = given.spent ? Math.max(1, Math.floor(2 + tried - given.spent())) : atOnce;
    const { trials, end } = lookAhead(universe, order, state, { guess, atOnce: Math.min(atOnce, affordable) });
    if (trials.length === 0) return { keep: end, effects, value: state.value, tried, passes, circuits };
    const values = await given.measure(trials.map(({ without }) => without));
    const losses = trials.map(
      ({ before }, i) => (before < 0 ? state.value : (values[before] as number)) - (values[i] as number),
    );
    const wrong = trials.findIndex(({ edge }, i) => isCut(losses[i] as number) !== (guess[edge] === 1));
    const decided = wrong < 0 ? trials.length : wrong + 1;
    trials.slice(0, decided).forEach(({ edge }, i) => (effects[edge] = losses[i] as number));
    // asked of a circuit with one edge too many or too few, and yet the best guess there is
    trials.slice(decided).forEach(({ edge }, i) => (guess[edge] = isCut(losses[decided + i] as number) ? 1 : 0));
    state = settle(state, trials[decided - 1] as Tried, {
      values,
      at: decided - 1,
      cut: isCut(losses[decided - 1] as number),
    });
    [tried, passes, circuits] = [tried + decided, passes + 1, circuits + trials.length];
    atOnce = wrong < 0 ? Math.min(2 * atOnce, MOST_AT_ONCE) : Math.max(8, decided);
    given.onProgress?.(state.next, order.length);
  }
}

/** The state after a trial whose guesses before it were all right. */
function settle(state: State, trial: Tried, by: { values: readonly number[]; at: number; cut: boolean }): State {
  const { edge, next, without, before } = trial;
  if (by.cut) return { keep: without, value: by.values[by.at] as number, next };
  const keep = Uint8Array.from(without);
  keep[edge] = 1;
  return { keep, value: before < 0 ? state.value : (by.values[before] as number), next };
}

/** The next trials as they will be if every guess is right, and the edges left after the last of them. */
function lookAhead(
  universe: Universe,
  order: Int32Array,
  state: State,
  { guess, atOnce }: { guess: Uint8Array; atOnce: number },
): { trials: Tried[]; end: Uint8Array } {
  const trials: Tried[] = [];
  let [keep, before] = [state.keep, -1];
  let heard: { reader: number; is: boolean } = { reader: -1, is: false };
  for (let next = state.next; next < order.length && trials.length < atOnce; next++) {
    const edge = order[next] as number;
    const reader = universe.edgeReader[edge] as number;
    if (heard.reader !== reader) heard = { reader, is: isHeard(universe, keep, reader) };
    const without = Uint8Array.from(keep);
    without[edge] = 0;
    if (!heard.is) {
      keep = without; // nobody reads it: cut untried
      continue;
    }
    trials.push({ edge, next: next + 1, without, before });
    if (guess[edge] === 1) [keep, before] = [without, trials.length - 1];
  }
  return { trials, end: keep };
}

/**
 * Whether what a reader reads can still reach the logits. Everything downstream is decided already, and edges into what is not
 * heard were cut there, so one edge kept from its node is enough.
 */
export function isHeard(universe: Universe, keep: Uint8Array, reader: number): boolean {
  const node = nodeOfReader(universe, reader);
  if (node < 0) return true;
  for (let r = reader + 1; r < universe.readers.length; r++) {
    const edge = universe.edgeBetween(node, r);
    if (edge >= 0 && keep[edge] === 1) return true;
  }
  return false;
}
