import type { Universe } from '../../circuit/types.js';
import { cutName } from '../../attribution/edges/resolution.js';
import type { Effect } from '../../attribution/edges/types.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import { meanOf } from '../../evaluation/statistics/intervals.js';

const SHOWN = 3;

/** Keeps the strongest of results that come in, for whoever waits for the rest. */
export function earlyResults(universe: Universe, groups?: PositionGroups) {
  let best: { name: string; effect: number }[] = [];
  return {
    take(effects: readonly Effect[]): void {
      const named = effects.map((one) => ({ name: cutName(universe, one, groups), effect: meanOf(one.values) }));
      best = [...best, ...named].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, SHOWN);
    },
    /** null before the first result */
    describe: (): string | null =>
      best.length === 0 ? null : best.map(({ name, effect }) => `${name} ${effect.toPrecision(3)}`).join(', '),
  };
}
