import { expect } from 'chai';
import { makeUniverse } from '../../src/circuit/universe.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { REPORT } from '../../src/report/folders/report.js';
import { expectGolden } from '../helpers/golden.js';
import { recordOf } from '../helpers/report.js';

const universe = makeUniverse({ nLayers: 3, nHeads: 2, hasMlp: true, parallelBlocks: false });
const scores = Float64Array.from({ length: universe.edgeCount }, (_, e) => Math.sin(e * 12.9898));
const exact = new Map([...scores.keys()].filter((e) => e % 2 === 0).map((e) => [e, scores[e]! * 0.9]));
const record = recordOf(universe, scores, { exact });
const sidecars = [{ file: 'scores.npy', data: scores, shape: [scores.length], axes: ['edge'], what: 'mean score' }];

const render = (key: string, of: ReportRecord = record) => {
  const [file] = REPORT.views.find((view) => view.key === key)!.render({ record: of, sidecars });
  return file!.content as string;
};

const tags = (markup: string, name: string): string[] => markup.match(new RegExp(`<${name}[ >/]`, 'g')) ?? [];

/** Every start tag has its end tag, in order: enough of XML to find what a viewer would stumble over. */
const checkNesting = (markup: string): void => {
  const open: string[] = [];
  for (const [, end, name, selfClosed] of markup.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (selfClosed === '/') continue;
    if (end === '') open.push(name!);
    else expect(open.pop()).to.equal(name);
  }
  expect(open).to.deep.equal([]);
};

describe('the picture', () => {
  const svg = render('svg');

  it('is the committed one', () => {
    expectGolden('test/goldens/report/circuit.svg', svg);
  });

  it('has a box per node and a line per edge, named with its score and its exact effect', () => {
    expect(svg.match(/class="node /g)).to.have.length(record.circuit.nodes.length);
    expect(svg.match(/class="edge /g)).to.have.length(record.circuit.edgeCount);
    const measured = record.circuit.edges.find((edge) => edge.exact !== null)!;
    const name = measured.name.replace('>', '&gt;').replace('<', '&lt;').replace(/>$/, '&gt;');
    expect(svg).to.match(new RegExp(`<title>${name}: score [+−][\\d.]+, exact [+−]`));
  });

  it('is well nested, and what users write is text in it', () => {
    checkNesting(svg);
    expect(svg).to.contain('names &amp; &lt;places&gt;');
  });

  it('tells sign by colour, q, k and v by dashes, |score| by width', () => {
    for (const edge of record.circuit.edges) {
      const group = svg
        .split('<g class="edge ')
        .find((part) => part.includes(`<title>${edge.name.replaceAll('>', '&gt;').replaceAll('<', '&lt;')}:`))!;
      expect(group).to.match(edge.score < 0 ? /^hurts.*stroke="#d55e00"/ : /^helps.*stroke="#0072b2"/);
      const line = group.split('</g>')[0]!;
      expect(line.includes('stroke-dasharray'), edge.name).to.equal(/<[kv]>$/.test(edge.name));
      expect(line.includes('stroke-linecap="round"'), edge.name).to.equal(edge.name.endsWith('<v>'));
    }
    const widths = [...svg.matchAll(/<path d="M[^"]*" fill="none" stroke="[^"]*" stroke-width="([\d.]+)"/g)].map(
      ([, w]) => Number(w),
    );
    const expected = record.circuit.edges.map(({ score }) => Math.abs(score)).sort((a, b) => b - a);
    expect(widths).to.have.length(expected.length);
    widths.forEach((width, i) => expect(width).to.be.closeTo(Math.max(1, (6 * expected[i]!) / expected[0]!), 0.051));
  });

  it('draws the free layout and the empty circuit too', () => {
    const free = render('svg', recordOf(universe, scores, { layout: 'force' }));
    checkNesting(free);
    expect(free).not.to.contain('layer 0');
    const empty = render(
      'svg',
      recordOf(universe, scores, { selection: { rule: 'top-n', by: 'absolute', requested: 0 } }),
    );
    checkNesting(empty);
    expect(empty).to.contain('the circuit is empty').and.not.to.contain('NaN').and.not.to.contain('Infinity');
  });
});

describe('the page', () => {
  const html = render('html');

  it('stands alone: nothing is loaded and nothing runs', () => {
    expect(html).not.to.match(/<script|<link|<img|<iframe|@import|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/i);
    expect(html).to.contain("default-src 'none'");
  });

  it('shows what users write as text', () => {
    expect(html).to.contain('names &amp; &lt;places&gt;').and.to.contain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('has the picture and every edge, exact effects beside the approximate ones', () => {
    expect(tags(html, 'svg')).to.have.length(2); // the circuit, and the random circuits
    for (const { name } of record.circuit.edges) {
      expect(html).to.contain(`<code>${name.replaceAll('>', '&gt;').replaceAll('<', '&lt;')}</code>`);
    }
    expect(html).to.contain('exact effect');
  });

  it('is readable in light and in dark, and on paper', () => {
    expect(html).to.contain('prefers-color-scheme: dark').and.to.contain('@media print');
  });

  it('writes what was not measured as a dash, never as null or NaN', () => {
    const { evaluation } = record;
    const bare = render('html', {
      ...record,
      evaluation: {
        ...evaluation,
        faithfulness: null,
        random: { ...evaluation.random, faithfulness: [], percentile: null },
      },
    });
    expect(bare).not.to.match(/\bnull\b|NaN|>undefined/);
    expect(tags(bare, 'svg')).to.have.length(1);
  });
});

describe('the text', () => {
  const text = render('markdown');

  it('is the committed one', () => {
    expectGolden('test/goldens/report/report.md', text);
  });

  it('keeps what users write from being markup or ending a table cell', () => {
    expect(text).to.contain('names &amp; \\<places\\>').and.to.contain('Ty\\|ler, \\<script\\>alert(1)\\</script\\>');
    const columns = (line: string) => line.replaceAll('\\|', '').split('|').length;
    const tables = text.split('\n\n').filter((block) => block.startsWith('|'));
    for (const table of tables) expect(new Set(table.trim().split('\n').map(columns)).size, table).to.equal(1);
  });

  it('gives counts before and after pruning, splits, conventions and digests', () => {
    const { circuit } = record;
    expect(text).to.contain(`${circuit.chosen} chosen, ${circuit.edgeCount} after pruning, of ${universe.edgeCount}`);
    expect(text).to.contain('64: 32 discover, 16 choose, 16 report (seed 0)').and.to.contain('midpoint, 5 steps');
    expect(text).to.contain(record.model.weightsSha256);
  });

  it('says so when no pair was held out', () => {
    const splits = { ...record.task.splits, whole: true };
    const whole = render('markdown', { ...record, task: { ...record.task, splits } });
    expect(whole).to.contain('every pair (nothing was held out)').and.to.contain('every pair in every split');
  });
});

describe('views', () => {
  it('are functions of the record: the same record gives the same bytes', () => {
    for (const view of REPORT.views) {
      const twice = [0, 1].map(() => view.render({ record, sidecars }));
      expect(twice[0], view.key).to.deep.equal(twice[1]);
      if (view.files) expect(view.files).to.include(twice[0]![0]!.file);
    }
  });
});
