/** The n edges of highest rank, wherever they are. */
import type { Choice, SelectionRule } from './rule.js';

const choose = (ranks: Float64Array, n: number): Choice => {
  const chosen = new Uint8Array(ranks.length);
  if (n >= ranks.length) return { chosen: chosen.fill(1), tiesLeftOut: 0 };
  if (n === 0) return { chosen, tiesLeftOut: 0 };
  const cut = Float64Array.from(ranks).sort()[ranks.length - n]!;
  let above = 0;
  for (const rank of ranks) if (rank > cut) above++;
  let room = n - above; // for edges that rank exactly at the cut
  let tiesLeftOut = 0;
  ranks.forEach((rank, edge) => {
    if (rank > cut || (rank === cut && room-- > 0)) chosen[edge] = 1;
    else if (rank === cut) tiesLeftOut++;
  });
  return { chosen, tiesLeftOut };
};

export const topN: SelectionRule = {
  key: 'top-n',
  title: 'the n edges of highest score',
  reference: 'Syed, Rager & Conmy 2023 (arXiv 2310.10348); apply_topn in EAP-IG',
  requests: 'edges',
  choose: (_universe, ranks, n) => choose(ranks, n),
};
