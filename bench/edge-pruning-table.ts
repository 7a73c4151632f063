import type { Comparison, Figure } from './edge-pruning.js';

export interface ComparisonReport {
  readonly fresh: { readonly seed: number; readonly count: number };
  readonly updates: number;
  readonly rate: number;
  readonly restarts: number;
  readonly rows: readonly Comparison[];
  /** how alike the circuits of the seeds are, mean over pairs of seeds */
  readonly seeds: readonly (Pick<Comparison, 'edges' | 'holds'> & { readonly jaccard: number })[];
}

const figure = ({ value, low, high }: Figure): string => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

/** The report's page. */
export const describeComparisons = ({ fresh, updates, rate, restarts, rows, seeds }: ComparisonReport): string =>
  `${[
    '# Edge pruning beside EAP-IG on the bundled IOI model',
    '',
    'Both methods discover on the 80 pairs of the `discover` split of `--task ioi --examples 160 --seed 0`. They are compared on',
    `${fresh.count} pairs of another seed (${fresh.seed}) of the generator, none of them among those 160, which no setting was chosen by.`,
    `Edge pruning: the best of ${restarts} by the discovery pairs, ${updates} updates each, rate ${rate}; EAP-IG: 5 midpoints, the smallest top-n circuit that has at least as many edges`,
    'once dead ends are removed. f = (circuit − corrupt) / (clean − corrupt) of the mean logit differences; gain = |1 − f| of EAP-IG −',
    '|1 − f| of edge pruning, above 0 where edge pruning is the more faithful; 95 % bootstrap intervals over pairs.',
    '',
    row('`--edges`', '`--holds`', 'seed', 'edges of both', 'f, edge pruning', 'f, EAP-IG', 'gain'),
    row('--:', '---', '--:', '---', '---', '---', '---'),
    ...rows.map(({ edges, holds, seed, size, faithfulness, gain }) =>
      row(
        ...[edges, holds, seed, `${size.edgePruning}, ${size.eapIg}`],
        ...[figure(faithfulness.edgePruning), figure(faithfulness.eapIg), figure(gain)],
      ),
    ),
    '',
    'How alike the circuits of the seeds are (Jaccard index of their edges, mean over pairs of seeds):',
    '',
    row('`--edges`', '`--holds`', 'Jaccard'),
    row('--:', '---', '--:'),
    ...seeds.map(({ edges, holds, jaccard }) => row(edges, holds, jaccard.toFixed(2))),
    '',
    'Made by `npm run report:edge-pruning`; `comparison.json` has the figures and the circuits, edge by edge.',
  ].join('\n')}\n`;
