/** What `npm start` does: the two bundled models' circuits. */
import { discover, type Discovery, type DiscoverOptions } from '../discover/discover.js';
import type { DiscoverRequest } from '../discover/request.js';

const DEMOS: readonly Pick<DiscoverRequest, 'task' | 'model' | 'edges' | 'examples'>[] = [
  { task: 'induction', model: 'induction', edges: 16, examples: 64 },
  { task: 'ioi', model: 'ioi', edges: 60, examples: 64 },
];

/** One discovery per bundled model, each written to a folder of its own under `out`. */
export async function* demo(
  options: {
    readonly out: string;
    readonly overwrite?: boolean;
    readonly runtime: string;
    readonly threads: number | undefined;
  },
  listeners: DiscoverOptions = {},
): AsyncGenerator<Discovery> {
  for (const one of DEMOS) yield await discover({ ...options, ...one, out: `${options.out}/${one.task}` }, listeners);
}
