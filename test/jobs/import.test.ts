/** `thevenin import`: what other libraries wrote, as a task that is checked and a circuit that is compared. */
import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAMINGS, writeEdge } from '../../src/circuit/names.js';
import { parseAddress } from '../../src/circuit/address.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { openCircuit } from '../../src/jobs/circuits/open.js';
import { importFile } from '../../src/jobs/circuits/import.js';
import { writeExchange } from '../../src/report/formats/exchange.js';
import { loadTask } from '../../src/task/files/load.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const universe = makeUniverse({ nLayers: 3, nHeads: 4, hasMlp: true, parallelBlocks: false });
const EDGES = ['input->a0.h1<q>', 'a0.h1->a2.h3<k>', 'a0.h2->m1', 'm1->logits', 'input->m0'];

const listed = (key: string): string =>
  EDGES.map((name) => {
    const [from, to] = name.split('->').map((one) => parseAddress(one).stops[0]!);
    return writeEdge(
      NAMINGS.find((naming) => naming.key === key)!,
      [from!, to!],
    )!;
  }).join('\n');

const names = (edges: Uint8Array): string[] => [...edges.keys()].filter((i) => edges[i] === 1).map(universe.edgeName);

describe('thevenin import', () => {
  for (const [from, file] of Object.entries({
    'eap-ig': 'eap-ig-ioi.csv',
    mib: 'mib-ioi.json',
    'auto-circuit': 'auto-circuit.json',
    'feature-circuits': 'feature-circuits-nounpp.jsonl',
  }))
    it(`makes a task of a data set of ${from}`, () =>
      inTemporaryFolder(async (folder) => {
        const out = join(folder, 'task.json');
        const imported = await importFile({ file: golden('datasets', file), from, out, name: 'mine' });
        const { source } = await loadTask(out);
        expect(source.name).to.equal('mine');
        expect(imported).to.include({ kind: 'task', pairs: source.pairs!.length });
        expect(source.pairs).to.have.lengthOf.at.least(1);
      }));

  for (const from of ['auto-circuit', 'acdc'])
    it(`makes a circuit of a list of edges of ${from}`, () =>
      inTemporaryFolder(async (folder) => {
        const [file, out] = [join(folder, 'edges.txt'), join(folder, 'circuit.json')];
        const wiring = from === 'acdc' ? '\n<a0.1_q>-><a0.1>' : '';
        writeFileSync(file, `# found at 0.01\n${listed(from).replace('\n', ' 0.25\n')}${wiring}\n`);
        const imported = await importFile({ file, from, out, model: MODEL });
        const { edges, scores } = await openCircuit(out);
        expect(names(edges)).to.have.members(EDGES);
        expect(imported).to.include({ kind: 'circuit', edges: 5, of: universe.edgeCount });
        expect(scores![universe.edgeIndex(EDGES[0]!)!]).to.equal(0.25);
        expect(imported.note).to.match(from === 'acdc' ? /^1 lines left out/ : /^$/);
      }));

  it('makes a circuit of a graph of EAP-IG, its scores scaled', () =>
    inTemporaryFolder(async (folder) => {
      const [file, out] = [join(folder, 'graph.json'), join(folder, 'circuit.json')];
      const scores = Float64Array.from({ length: universe.edgeCount }, (_, edge) => edge / 7);
      writeFileSync(
        file,
        writeExchange({ universe, dModel: 32, scores, edges: new Uint8Array(scores.length).fill(1, 3, 9) }),
      );
      const imported = await importFile({ file, from: 'eap-ig', out, scale: 4 });
      const opened = await openCircuit(out);
      expect(imported).to.include({ edges: 6 });
      expect(opened.scores![21]).to.be.closeTo(12, 1e-12);
    }));

  it('refuses what it does not know, in one line, and writes nothing over another file', () =>
    inTemporaryFolder(async (folder) => {
      const [file, out] = [join(folder, 'edges.txt'), join(folder, 'circuit.json')];
      const asked = { file, out, from: 'acdc', model: MODEL };
      writeFileSync(file, '<a0.1>-><a2.3_k>\n<a9.0>-><m2>\n');
      await refused(importFile(asked), 'circuit/exchange', 'edges.txt:2', 'no edge <a9.0>-><m2>');
      writeFileSync(file, 'A0.1->A2.3.K\n');
      await refused(importFile(asked), 'circuit/exchange', 'edges.txt:1', 'names of ACDC');
      await refused(importFile({ ...asked, model: undefined }), 'cli/usage', '--model');
      await refused(importFile({ ...asked, from: 'acdcc' }), 'cli/usage', 'acdc');
      writeFileSync(out, 'mine');
      await refused(importFile(asked), 'file/exists', out, '--overwrite');
      expect(readFileSync(out, 'utf8')).to.equal('mine');
    }));

  it('is a command whose task can be validated', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'task.json');
      const words = ['import', golden('datasets', 'eap-ig-ioi.csv'), '--from', 'eap-ig', '--out', out];
      const { code, stdout, stderr } = await runCli(words);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^written: .*task\.json, a task of \d+ pairs/);
    }));
});
