import { expect } from 'chai';
import { Writable } from 'node:stream';
import { createProgressView, formatDuration, formatStage, isWatched } from '../../src/cli/progress.js';

/** What a view writes, without the durations. */
const record = () => {
  const chunks: string[] = [];
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk.toString()), done()) });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('').replace(/\d+ ms/g, 'T') };
};

describe('progress in a log', () => {
  it('is one line per stage, written when the stage ends', async () => {
    const { stream, text } = record();
    const { listener, close } = await createProgressView(stream, false);
    listener({ stage: 'clean run', done: 0, total: 4 });
    listener({ stage: 'clean run', done: 2, total: 4 });
    expect(text()).to.equal('');
    listener({ stage: 'clean run', done: 4, total: 4, note: '0.1 GiB' });
    expect(text()).to.equal('  clean run                 4/4  T  0.1 GiB\n');
    close();
    expect(text().split('\n')).to.have.length(2);
  });

  it('ends a stage of unknown length when the next begins, or the work', async () => {
    const { stream, text } = record();
    const { listener, close } = await createProgressView(stream, false);
    listener({ stage: 'eliminate', done: 7, total: 0 });
    listener({ stage: 'write', done: 1, total: 3 });
    close();
    expect(text()).to.equal(['  eliminate                 7  T', '  write                     1/3  T', ''].join('\n'));
  });

  it('gives durations in the unit that reads best', () => {
    expect([0.4, 999, 1234, 59_900, 60_000, 185_400].map(formatDuration)).to.deep.equal([
      '0 ms', '999 ms', '1.2 s', '59.9 s', '1 min 00 s', '3 min 05 s',
    ]); // prettier-ignore
    expect(formatStage({ stage: 'EAP', done: 1, total: 1 }, 1500)).to.equal('  EAP                       1/1  1.5 s');
  });

  it('is a bar only on a terminal that is not a CI job’s', () => {
    expect(isWatched({ isTTY: true, write: () => true }, {})).to.equal(true);
    expect(isWatched({ isTTY: true, write: () => true }, { CI: '1' })).to.equal(false);
    expect(isWatched({ isTTY: true, write: () => true }, { TERM: 'dumb' })).to.equal(false);
    expect(isWatched({ write: () => true }, {})).to.equal(false);
  });

  it('leaves one line per stage behind on a terminal too', async () => {
    const { stream, text } = record();
    const { listener, close } = await createProgressView(Object.assign(stream, { isTTY: true, columns: 80 }), true);
    listener({ stage: 'EAP', done: 0, total: 2 });
    listener({ stage: 'EAP', done: 2, total: 2, note: 'done' });
    close();
    expect(text()).to.match(/ {2}EAP {23}2\/2 {2}T {2}done\n$/);
  });
});
