/** What figures of a terminal look like where they are nothing. */
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { describeFindings } from '../../src/cli/views/findings.js';
import { fixed } from '../../src/fixed.js';
import { markdown } from '../../src/report/pages/report-markdown.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { reportOf } from '../helpers/write-report.js';

describe('a figure', () => {
  it('that is rounded to zero has no sign', () => {
    expect([-0, -1e-9, -0.00004, 0, 1e-9].map((value) => fixed(value, 4))).to.deep.equal(Array(5).fill('0.0000'));
    expect([-0.00006, -0.5, 1].map((value) => fixed(value, 4))).to.deep.equal(['-0.0001', '-0.5000', '1.0000']);
  });

  it('is written so in the findings', () => {
    const { record } = reportOf(1, 2);
    const evaluation = { ...record.evaluation, faithfulness: -1e-9 };
    const topEdges = record.topEdges.map((edge) => ({ ...edge, inCircuit: true, score: -1e-9, exact: -0 }));
    const text = describeFindings({ ...record, evaluation, topEdges }, []);
    expect(text).to.contain('faithful 0.0000 on').and.to.contain('exact +0.0000');
    expect(text).not.to.match(/[-−]0\.0+\b(?!\d)/);
  });
});

describe('a circuit without edges', () => {
  const { record, sidecars } = reportOf(1, 2);
  const empty = (chosen: number): ReportRecord => ({
    ...record,
    circuit: { ...record.circuit, chosen, edgeCount: 0, edges: [], nodes: [] },
  });

  it('is called empty, with the reason, instead of faithful 0.0000', () => {
    expect(stripVTControlCharacters(describeFindings(empty(0), []))).to.match(
      /circuit +empty: no edge of \d+ \(none was chosen\)/,
    );
    const pruned = stripVTControlCharacters(describeFindings(empty(1), []));
    expect(pruned).to.match(
      /empty: no edge of \d+ \(1 chosen, none on a way from the input to the logits\).*choose more/,
    );
    expect(pruned).not.to.contain('faithful');
  });

  it('and on the page, too', () => {
    const [page] = markdown.render({ record: empty(1), sidecars });
    expect(page!.content).to.match(/the circuit is empty, none of \d+ edges is in it/);
    expect(page!.content).to.contain('1 chosen, none on a way from the input to the logits: the circuit is empty');
  });
});
