/** `thevenin discover --resolution`: where along the prompt edges carry what they carry; `--per-example`: what is kept of every pair. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { inTemporaryFolder } from '../helpers/model-files.js';
import { discover } from '../../src/jobs/discover/discover.js';

const IOI = { task: 'ioi', model: 'ioi', examples: 24, edges: 100, randomCircuits: 2, exactEdges: 20 } as const;
const INDUCTION = { task: 'induction', model: 'induction', examples: 16, edges: 30, randomCircuits: 2 } as const;

const refusal = async (request: Parameters<typeof discover>[0]): Promise<string> => {
  const stages: string[] = [];
  const asked = discover(request, { onProgress: ({ stage }) => void stages.push(stage) });
  const message = await asked.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );
  expect(stages, 'nothing was computed before').to.deep.equal([]);
  return message;
};

describe('discovering by position and by span', function () {
  this.timeout(60_000);

  it('finds that the subject’s second mention is read where it stands, and written to the logits at the end', async () => {
    const { record, sidecars } = await discover({ ...IOI, resolution: 'span' });
    const { places, groups, top } = record.resolved!;
    expect(places).to.equal('span');
    expect(groups).to.include.members(['S1', 'IO', 'S2', 'end']).and.to.include('elsewhere');
    expect(top).to.have.lengthOf(20);
    expect(top.slice(0, 4).map(({ name }) => name)).to.include.members(['input->a0.h1<v>@S2', 'm0->logits@end']);
    const scores = sidecars.find(({ file }) => file === 'scores.by-group.npy')!;
    expect(scores.shape).to.deep.equal([record.graph.edges, groups.length]);
    const at = (edge: number): number => groups.reduce((sum, _, g) => sum + scores.data[edge * groups.length + g]!, 0);
    for (const edge of record.topEdges) expect(at(edge.index), edge.name).closeTo(edge.score, 1e-5);
    const atEnd = top.filter(({ name }) => name.endsWith('->logits@end'));
    for (const { name, exact } of atEnd) {
      const whole = record.topEdges.find((edge) => name === `${edge.name}@end`);
      if (whole) expect(exact, `${name}: the logits are read at the end alone`).closeTo(whole.exact!, 1e-5);
    }
  });

  it('keeps the scores of every pair where asked, whose means are the scores', async () => {
    const asked = { ...INDUCTION, resolution: 'position', perExample: true } as const;
    const notes: string[] = [];
    const onProgress = ({ note }: { note?: string | undefined }): void => void notes.push(note ?? '');
    const { record, sidecars } = await discover(asked, { onProgress });
    const of = (file: string) => sidecars.find((one) => one.file === file)!;
    const { groups } = record.resolved!;
    const { discover: pairs } = record.task.splits;
    const [whole, each] = [of('scores.by-example.npy'), of('scores.by-example-and-group.npy')];
    expect(whole.shape).to.deep.equal([pairs, record.graph.edges]);
    expect(each.shape).to.deep.equal([pairs, record.graph.edges, groups.length]);
    const mean = Array.from({ length: record.graph.edges }, (_, edge) => Array.from({ length: pairs }, (_, pair) => whole.data[pair * record.graph.edges + edge]! / pairs).reduce((a, b) => a + b, 0)); // prettier-ignore
    of('scores.npy').data.forEach((score, edge) => expect(mean[edge]).closeTo(score, 1e-4));
    const told = ((4 * pairs * record.graph.edges * (groups.length + 1)) / 2 ** 20).toPrecision(3);
    expect(notes.some((note) => note.includes(`${told} MiB for the scores of every pair`))).to.equal(true);
  });

  it('finds the neurons that carry an edge, estimated and measured', async () => {
    const { record, sidecars } = await discover({ ...IOI, neurons: [0, 2] });
    const { layers, top } = record.neurons!;
    expect(layers).to.deep.equal([0, 2]);
    for (const { name } of top) expect(name).to.match(/^m[02]\.n\d+->\S+$|^\S+->m[02]\.n\d+$/);
    const of = (file: string) => sidecars.find((one) => one.file === file)!;
    const [out, into] = [of('neurons.m0.out.npy'), of('neurons.m0.into.npy')];
    expect([out.axes, into.axes]).to.deep.equal([
      ['neuron', 'reader'],
      ['sender', 'neuron'],
    ]);
    expect([out.shape[1], into.shape[0]]).to.deep.equal([record.graph.readers, 5]);
    const strongest = Math.max(...[out, into, of('neurons.m2.out.npy'), of('neurons.m2.into.npy')].flatMap(({ data }) => Array.from(data, Math.abs))); // prettier-ignore
    expect(Math.abs(top[0]!.score)).to.equal(strongest);
    const whole = record.topEdges.find(({ name }) => name === 'm0->logits')!;
    const column = record.graph.readers - 1;
    const summed = Array.from({ length: out.shape[0]! }, (_, n) => out.data[n * out.shape[1]! + column]!);
    expect(summed.reduce((a, b) => a + b, 0)).to.be.closeTo(whole.score, 1e-4);
    for (const { name, score, exact } of top.filter(({ name }) => name.startsWith('m2') && name.endsWith('->logits')))
      expect(Math.sign(exact), name).to.equal(Math.sign(score));
  });

  it('writes the table into the report', () =>
    inTemporaryFolder(async (out) => {
      await discover({ ...INDUCTION, resolution: 'position', out });
      const text = await readFile(path.join(out, 'report.md'), 'utf8');
      expect(text)
        .to.match(/## Strongest edges, by position/)
        .and.to.match(/`a1\.h\d->logits@31 end`/);
      expect(await readFile(path.join(out, 'report.html'), 'utf8')).to.include('Strongest edges, by position');
    }));

  it('refuses what cannot be told apart, before anything is computed', async () => {
    expect(await refusal({ ...IOI, resolution: 'position' })).to.match(/the prompts have 14, .* tokens: .* by span/);
    expect(await refusal({ ...IOI, resolution: 'span', spans: ['PLACE'] })).to.match(
      /span PLACE is absent from \d+ of 24/,
    );
    expect(await refusal({ ...IOI, resolution: 'span', method: 'acdc' })).to.match(
      /acdc does not tell positions apart; methods that do: eap-ig, eap/,
    );
    expect(await refusal({ ...IOI, neurons: [0], method: 'relp' })).to.match(
      /relp does not tell neurons apart; methods that do: eap-ig, eap, clean-corrupted/,
    );
    expect(await refusal({ ...IOI, neurons: [0, 9] })).to.match(/no layer 9: the model has layers 0 … 3/);
    expect(await refusal({ ...IOI, neurons: [0], source: 'zero' })).to.match(/known of prompts alone/);
    expect(await refusal({ ...IOI, spans: ['S1'] })).to.match(/--spans goes with --resolution span/);
    expect(await refusal({ ...IOI, perExample: true, method: 'edge-pruning' })).to.match(
      /edge-pruning finds one answer for all pairs/,
    );
    expect(await refusal({ ...IOI, perExample: true, memory: 4096 })).to.match(
      /the scores of 12 pairs need .* use fewer pairs/,
    );
  });
});
