import { expect } from 'chai';
import { colourAt, contrast, inkOn } from '../../src/report/charts/heat-map/colours.js';
import { drawHeatMap } from '../../src/report/charts/heat-map/svg.js';
import { tableOf } from '../../src/report/charts/heat-map/table.js';
import { patchingPage } from '../../src/report/pages/patching.js';
import {
  cellName,
  shown,
  strongestCells,
  type GridRecord,
  type PatchingRecord,
} from '../../src/report/records/patching.js';

const AXES = [
  { name: 'layer', labels: ['0', '1'] },
  { name: 'position', labels: ['0 "The"', '1 S2', '2'] },
] as const;

const GRID: GridRecord = {
  grid: 'resid-pre',
  title: 'residual stream before each layer',
  axes: AXES,
  mean: [1, 2, 3, 0, -1, 1],
  recovery: [0, 0.5, 1, -0.5, -1, 0],
  perExample: {
    file: 'resid-pre.npy',
    sha256: '0'.repeat(64),
    dtype: '<f8',
    shape: [2, 3, 1],
    axes: ['layer', 'position', 'example'],
    what: '',
  },
};

const RECORD: PatchingRecord = {
  schemaVersion: 1,
  kind: 'activation-patching',
  versions: { thevenin: '0', node: 'v20', runtime: 'reference' },
  model: { name: 'tiny <model>', weightsSha256: '0'.repeat(64) },
  task: { name: 'ioi & more', sha256: '0'.repeat(64), metric: 'logit-difference', pairs: 1 },
  direction: 'denoising',
  clean: 3,
  corrupt: 1,
  undefinedBecause: null,
  grids: [GRID],
  timings: { startedAt: '2026-01-01T00:00:00.000Z', totalSeconds: 1 },
};

describe('what a cell shows', () => {
  it('denoising: what came back; noising: what was lost; else the change of the metric', () => {
    expect(shown(RECORD, GRID)).to.deep.equal(GRID.recovery);
    expect(shown({ ...RECORD, direction: 'noising' }, GRID)).to.deep.equal([1, 0.5, 0, 1.5, 2, 1]);
    expect(shown(RECORD, { ...GRID, recovery: null })).to.deep.equal([0, 1, 2, -1, -2, 0]);
  });

  it('is named by its axes, the strongest first', () => {
    expect(cellName(AXES, 4)).to.equal('layer 1, position 1 S2');
    expect(strongestCells(GRID.recovery!, 3)).to.deep.equal([2, 4, 1]);
  });
});

describe('the colours of a heat map', () => {
  const lightness = (value: number): number => parseInt(colourAt(value, 1).slice(3, 5), 16); // green dominates luminance
  it('are near white at 0, and darker the farther from it', () => {
    expect(colourAt(0, 1)).to.equal('#f7f7f7').and.equal(colourAt(0, 0));
    for (const sign of [1, -1])
      for (let step = 1; step <= 10; step++)
        expect(lightness((sign * step) / 10)).to.be.below(lightness((sign * (step - 1)) / 10));
  });

  it('are blue above 0 and orange below it', () => {
    const channels = (value: number) => [1, 3, 5].map((at) => parseInt(colourAt(value, 1).slice(at, at + 2), 16));
    for (const size of [0.3, 0.7, 1]) {
      const [above, below] = [channels(size), channels(-size)];
      expect(above[2]).to.be.above(above[0]!);
      expect(below[0]).to.be.above(below[2]!);
    }
  });

  it('carry ink that can be read on them', () => {
    for (let share = -1; share <= 1; share += 1 / 64) {
      const [chosen, ground] = [inkOn(share, 1), colourAt(share, 1)];
      const other = chosen === '#ffffff' ? '#1f2328' : '#ffffff';
      expect(contrast(chosen, ground), `${share}`).to.be.at.least(contrast(other, ground));
    }
    expect(contrast('#000000', '#ffffff')).to.be.closeTo(21, 1e-9);
    expect([inkOn(0, 1), inkOn(1, 1), inkOn(-1, 1)]).to.deep.equal(['#1f2328', '#ffffff', '#ffffff']);
  });
});

describe('a grid as rows and columns', () => {
  it('has layers as rows', () => {
    const { rowLabels, columnLabels, cells, rules } = tableOf(AXES);
    expect({ rowLabels, columns: columnLabels.length, rules }).to.deep.equal({
      rowLabels: ['0', '1'],
      columns: 3,
      rules: [],
    });
    expect(cells).to.deep.equal([[0, 1, 2], [3, 4, 5]]); // prettier-ignore
  });

  it('has a row for each head where heads are divided by position', () => {
    const { rowLabels, rules, cells } = tableOf([AXES[0], { name: 'head', labels: ['0', '1'] }, AXES[1]]);
    expect(rowLabels).to.deep.equal(['a0.h0', 'a0.h1', 'a1.h0', 'a1.h1']);
    expect(rules).to.deep.equal([2]);
    expect(cells[3]).to.deep.equal([9, 10, 11]);
  });

  it('has a row for each query of each head where pattern entries are told apart', () => {
    const axes = [
      AXES[0],
      { name: 'head', labels: ['0', '1'] },
      { name: 'query', labels: ['2', '3'] },
      AXES[1],
    ] as const;
    const { rowLabels, rowName, rules } = tableOf(axes);
    expect(rowLabels.slice(2, 6)).to.deep.equal(['a0.h1 2', 'a0.h1 3', 'a1.h0 2', 'a1.h0 3']);
    expect({ rowName, rules }).to.deep.equal({ rowName: 'head, query', rules: [4] });
  });

  it('goes on from line to line where there are neurons, each layer and place a block of its own', () => {
    const labels = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
    const neurons = { name: 'neuron', labels: labels(70) } as const;
    const { rowLabels, cells, rules } = tableOf([AXES[0], neurons]);
    expect(rowLabels).to.deep.equal(['n64', 'm0 n0', 'n64', 'm1 n0']); // upward: the first line of a layer is on top
    expect(rules).to.deep.equal([2]);
    expect(cells.map((row) => [row[0], row.length])).to.deep.equal([[64, 6], [0, 64], [134, 6], [70, 64]]); // prettier-ignore
    const spans = tableOf([AXES[0], neurons, { name: 'span', labels: ['S2', 'end'] }]);
    expect(spans.rowLabels.slice(0, 4)).to.deep.equal(['n64', 'm0 S2 n0', 'n64', 'm0 end n0']);
    expect(spans.cells[3]!.slice(0, 3)).to.deep.equal([1, 3, 5]);
    expect(spans.cells.flat().sort((a, b) => a - b)).to.deep.equal(labels(280).map(Number)); // every cell once
  });

  it('has one column where there is but one axis', () => {
    expect(tableOf([AXES[0]]).cells).to.deep.equal([[0], [1]]);
  });
});

describe('a heat map', () => {
  const drawn = drawHeatMap(RECORD, GRID);
  it('has a cell for each place, with its value in words', () => {
    expect(drawn.match(/<title>layer /g)).to.have.lengthOf(6);
    expect(drawn).to.include('<title>layer 0, position 1 S2: +0.500 (metric 2.00)</title>');
  });

  it('puts the lowest layer at the bottom', () => {
    const y = (layer: number): number =>
      Number(new RegExp(`y="([\\d.]+)"[^>]*><title>layer ${layer}, position 2`).exec(drawn)![1]);
    expect(y(0)).to.be.above(y(1));
  });

  it('names its axes, its unit and the extremes of its colours', () => {
    for (const text of ['>layer<', '>position<', '>recovered share<', '>+1.00<', '>−1.00<', '>1 S2<'])
      expect(drawn).to.include(text);
  });

  it('writes numbers where asked', () => {
    expect(drawn).not.to.include('>0.50<');
    expect(drawHeatMap(RECORD, GRID, { numbers: true }))
      .to.include('>0.50<')
      .and.include('>−0.50<');
  });

  it('has layer 0 at the top where asked: the same cells, from the other end', () => {
    const topOfCell = (svg: string, cell: string): number =>
      Number(new RegExp(`y="([\\d.]+)"[^>]*><title>${cell}`).exec(svg)![1]);
    const [upward, downward] = [false, true].map((flip) => drawHeatMap(RECORD, GRID, { numbers: false, flip }));
    expect(topOfCell(upward!, 'layer 0, position 2')).to.equal(topOfCell(downward!, 'layer 1, position 2'));
    expect(topOfCell(upward!, 'layer 1, position 2')).to.equal(topOfCell(downward!, 'layer 0, position 2'));
    expect(topOfCell(downward!, 'layer 0, position 2')).to.be.below(topOfCell(downward!, 'layer 1, position 2'));
  });

  it('of thousands of neurons draws what can be seen and names the strongest', () => {
    const labels = Array.from({ length: 3072 }, (_, i) => `${i}`);
    const recovery = labels.map((_, i) => (i === 700 ? 1 : i === 5 ? -0.5 : 0.001));
    const axes = [AXES[0], { name: 'neuron', labels }] as const;
    const twice = [...recovery, ...recovery.map((x) => x / 10)];
    const grid = { ...GRID, grid: 'neurons', axes, mean: twice, recovery: twice };
    const map = drawHeatMap(RECORD, grid, { numbers: true });
    expect(map.match(/<title>layer /g)).to.have.lengthOf(4); // the others are less than a hundredth of the largest
    expect(map).to.include('>1. layer 0, neuron 700: +1.00<').and.include('>2. layer 0, neuron 5: −0.500<');
    expect(map.length).to.be.below(60_000);
  });

  it('and its page make texts from outside harmless', () => {
    const page = patchingPage(RECORD, { numbers: false });
    for (const markup of [drawn, page]) expect(markup).to.include('tiny &lt;model&gt;').and.not.include('<model>');
    expect(page).not.to.match(/<script|https?:\/\/(?!www\.w3\.org)/);
  });
});
