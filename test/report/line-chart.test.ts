/** Lines with their intervals: scales, bands, levels and what a page may hold. */
import { expect } from 'chai';
import fc from 'fast-check';
import { drawLineChart, type ChartPoint, type LineChart } from '../../src/report/charts/line-chart/svg.js';
import { ticksOf } from '../../src/report/charts/line-chart/ticks.js';
import { drawEffects } from '../../src/report/charts/tracing.js';
import type { TracingRecord } from '../../src/report/records/tracing.js';

const point = (x: number, mean: number, half: number | null = null): ChartPoint => ({
  ...{ x, mean },
  ...(half === null ? { low: null, high: null } : { low: mean - half, high: mean + half }),
});
const CHART: LineChart = {
  ...{ title: 'dose & response', subtitle: 'a <model>', xName: 'coefficient', yName: 'metric' },
  lines: [{ name: 'steered', points: [point(-1, 2, 0.5), point(0, 1, 0.5), point(2, -1, 0.5)] }],
};

/** Where the marks of the lines stand, line by line in the order of their points. */
const marks = (svg: string): [number, number][] =>
  [...svg.matchAll(/translate\(([\d.-]+) ([\d.-]+)\)[^\n]*?<title>/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('ticks', () => {
  it('are round and reach over the range', () => {
    expect(ticksOf(-3, 3, { most: 9 })).to.deep.equal([-3, -2, -1, 0, 1, 2, 3]);
    expect(ticksOf(0.012, 0.058, { most: 6 })).to.deep.equal([0.01, 0.02, 0.03, 0.04, 0.05, 0.06]);
    expect(ticksOf(4, 4, { most: 6 })).to.deep.equal([4]);
  });

  it('are few, evenly spread, and hold every value between them', () =>
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (low, size) => {
          const ticks = ticksOf(low, low + size, { most: 7 });
          const slack = size * 1e-6;
          expect(ticks.length).to.be.within(2, 7);
          expect(ticks[0]! - slack).to.be.at.most(low);
          expect(ticks.at(-1)! + slack).to.be.at.least(low + size);
          const gaps = ticks.slice(1).map((tick, i) => tick - ticks[i]!);
          for (const gap of gaps) expect(Math.abs(gap - gaps[0]!)).to.be.at.most(slack);
        },
      ),
      { seed: 3, numRuns: 300 },
    ));
});

describe('a line chart', () => {
  it('has a mark for each mean, in proportion, larger values higher', () => {
    const [first, second, third] = marks(drawLineChart(CHART)) as [
      [number, number],
      [number, number],
      [number, number],
    ];
    expect((second[0] - first[0]) * 2).to.be.closeTo(third[0] - second[0], 0.3);
    expect((second[1] - first[1]) * 2).to.be.closeTo(third[1] - second[1], 0.3);
    expect(first[1]).to.be.below(second[1]); // y grows downward
  });

  it('draws the interval as a band as wide as the interval, none where there is none', () => {
    const band = /class="band" d="M([^"]+)Z"/.exec(drawLineChart(CHART))![1]!.split('L').map((at) => at.split(' ').map(Number)); // prettier-ignore
    const [, middle] = marks(drawLineChart(CHART));
    expect(band).to.have.lengthOf(6);
    expect(band[1]![0]).to.equal(band[4]![0]).and.equal(middle![0]);
    expect((band[1]![1]! + band[4]![1]!) / 2).to.be.closeTo(middle![1], 0.2);
    const step = marks(drawLineChart(CHART))[2]![1] - middle![1]; // two units of the metric
    expect(band[4]![1]! - band[1]![1]!).to.be.closeTo(step / 2, 0.2);
    const without = { ...CHART, lines: [{ name: 'one', points: [point(0, 1), point(1, 2)] }] };
    expect(drawLineChart(without)).not.to.contain('class="band"');
  });

  it('says in words what every point is, and names several lines in a key', () => {
    expect(drawLineChart(CHART)).to.contain('steered, coefficient −1: 2.00 [1.50, 2.50]');
    expect(drawLineChart(CHART)).not.to.contain('>steered</text>');
    const two = { ...CHART, lines: [...CHART.lines, { name: '<b>', points: [point(0, 3)] }] };
    expect(drawLineChart(two)).to.contain('>steered</text>').and.contain('>&lt;b&gt;</text>').and.not.contain('<b>');
  });

  it('names levels beside the plot, never on top of each other, and makes room for them', () => {
    const levels = [
      { name: 'clean', value: 1 },
      { name: 'corrupt', value: 1.01 },
      { name: 'far', value: -9 },
    ];
    const svg = drawLineChart({ ...CHART, levels });
    const at = levels.map(({ name }) => Number(new RegExp(`y="([\\d.]+)"[^>]*>${name}</text>`).exec(svg)![1]));
    expect(Math.abs(at[0]! - at[1]!)).to.be.at.least(12);
    for (const y of at) expect(y).to.be.within(50, 300);
    expect(svg).to.match(/>−10<\/text>/);
  });

  it('is made of what a point and a flat line are made of, too', () => {
    for (const points of [[point(1, 1)], [point(0, 0), point(1, 0)]])
      expect(drawLineChart({ ...CHART, lines: [{ name: 'x', points }] })).not.to.match(/NaN|Infinity/);
  });
});

describe('the chart of causal tracing', () => {
  it('has a line with its interval for each kind of tokens that occurs', () => {
    const grid = { grid: 'resid-post', title: 'state after each layer' } as TracingRecord['grids'][number];
    const effects = ['first subject token', 'middle subject tokens', 'last token'].flatMap((tokens, kind) =>
      [0, 1, 2].map((layer) => ({
        ...{ grid: 'resid-post', layer, tokens, mean: kind + layer, count: kind === 1 ? 0 : 5 },
        ...{ low: kind + layer - 0.5, high: kind + layer + 0.5 },
      })),
    );
    const record = {
      ...{
        task: { name: 'facts', pairs: 5, metric: 'probability' },
        model: { name: 'm' },
        noise: { factor: 3 },
        effects,
      },
    } as unknown as TracingRecord;
    const svg = drawEffects(record, grid);
    expect(svg.match(/class="band"/g)).to.have.lengthOf(2);
    expect(svg).to.contain('>first subject token<').and.to.contain('>last token<').and.not.to.contain('middle subject');
    expect(svg).to.contain('last token, layer 1: 3.00 [2.50, 3.50]');
    expect(marks(svg)).to.have.lengthOf(6);
  });
});
