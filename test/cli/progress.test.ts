import { expect } from 'chai';
import { Writable } from 'node:stream';
import { formatDuration } from '../../src/duration.js';
import { createProgressView, formatLeft, formatStage, isWatched } from '../../src/cli/progress.js';

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

  it('gives durations in the unit that reads best, to two figures', () => {
    expect([0.0004, 0.999, 1.234, 39.6, 60, 89, 185.4, 720, 5000, 39_600, 500_000].map(formatDuration)).to.deep.equal([
      '0 ms',
      '999 ms',
      '1.2 s',
      '40 s',
      '60 s',
      '89 s',
      '3.1 min',
      '12 min',
      '83 min',
      '11 h',
      '5.8 days',
    ]);
    expect(formatStage({ stage: 'EAP', done: 1, total: 1 }, 1500)).to.equal('  EAP                       1/1  1.5 s');
  });

  it('says what is left at the pace so far, where there is one', () => {
    expect(formatLeft({ stage: 'exact', done: 0, total: 32_491 }, 60_000)).to.equal('');
    expect(formatLeft({ stage: 'exact', done: 1, total: 100 }, 400_000)).to.equal('about 11 h left');
    expect(formatLeft({ stage: 'exact', done: 100, total: 100 }, 400_000)).to.equal('');
    expect(formatLeft({ stage: 'eliminate', done: 7, total: 0 }, 400_000)).to.equal('');
  });

  it('tells before a long stage what it will cost, and of a stage that lasts a line now and then', async () => {
    const { stream, text } = record();
    let now = 0;
    const { listener, close } = await createProgressView(stream, false, () => now);
    const at = (seconds: number, done: number, note?: string): void => {
      now = 1000 * seconds;
      listener({ stage: 'exact', done, total: 960, ...(note === undefined ? {} : { note }) });
    };
    at(0, 0);
    at(1, 0, 'about 2.0 min, 80 MiB');
    at(20, 160, 'strongest m0->logits');
    at(32, 240, 'strongest m0->logits');
    at(40, 320, 'strongest m0->logits');
    at(120, 960, 'strongest m0->logits');
    close();
    expect(text().split('\n')).to.deep.equal([
      '  exact                     about 2.0 min, 80 MiB',
      '  exact                     240/960  32 s  strongest m0->logits  about 1.6 min left',
      '  exact                     960/960  2.0 min  strongest m0->logits',
      '',
    ]);
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
