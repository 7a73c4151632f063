import { drawLineChart } from './line-chart/svg.js';
import type { GridRecord } from '../records/patching.js';
import type { TracingRecord } from '../records/tracing.js';

/** Averaged indirect effects layer by layer, a line with its 95 % interval for each kind of tokens (Meng et al. 2202.05262, figure 2). */
export function drawEffects({ task, model, effects, noise }: TracingRecord, { grid, title }: GridRecord): string {
  const own = effects.filter((effect) => effect.grid === grid && effect.count > 0);
  const kinds = [...new Set(own.map(({ tokens }) => tokens))];
  return drawLineChart({
    title: `Indirect effects, ${title}`,
    subtitle: `${task.name} · ${model.name} · ${task.pairs} facts · noise of ${noise.factor} standard deviations · bands: 95 % intervals`,
    ...{ xName: 'layer', yName: `indirect effect on the ${task.metric}` },
    lines: kinds.map((kind) => ({
      name: kind,
      points: own
        .filter(({ tokens }) => tokens === kind)
        .map(({ layer, mean, low, high }) => ({ x: layer, mean, low, high })),
    })),
  });
}
