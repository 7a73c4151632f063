import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { layout } from '../../src/model/layout.js';
import { openRangeFile } from '../../src/model/range-file.js';
import type { RangeFile } from '../../src/model/range-file.js';
import type { StoredTensor } from '../../src/model/tensor-store.js';
import { tensorStore } from '../../src/model/tensor-store.js';
import { storedWeights } from '../../src/model/weights.js';
import { inTemporaryFolder } from '../helpers/model-files.js';

interface Read {
  readonly offset: number;
  readonly length: number;
}

/** A real file whose reads are written down, with the largest number that were under way at once. */
const watched = async (path: string): Promise<{ file: RangeFile; reads: Read[]; most: () => number }> => {
  const file = await openRangeFile(path);
  const reads: Read[] = [];
  let now = 0;
  let most = 0;
  const read = async (offset: number, length: number): Promise<Buffer> => {
    reads.push({ offset, length });
    most = Math.max(most, ++now);
    try {
      return await file.read(offset, length);
    } finally {
      now--;
    }
  };
  return { file: { ...file, read }, reads, most: () => most };
};

const ROWS = 6000;
const COLUMNS = 1024; // 24 MB
const START = 64;

describe('tensor store: files are read piece by piece', () => {
  const using = (
    use: (file: Awaited<ReturnType<typeof watched>>, weights: ReturnType<typeof storedWeights>) => Promise<void>,
  ) =>
    inTemporaryFolder(async (folder) => {
      const values = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => i);
      writeFileSync(`${folder}/w`, Buffer.concat([Buffer.alloc(START), Buffer.from(values.buffer)]));
      const watch = await watched(`${folder}/w`);
      const matrix: StoredTensor = { file: watch.file, shape: [ROWS, COLUMNS], encoding: 'F32', offset: START };
      const store = tensorStore(new Map([['m', matrix]]), [watch.file]);
      const sizes = { v: ROWS, d: COLUMNS };
      const places = {
        'embed.W_E': { tensor: 'm', layout: layout('v d -> v d', { sizes }) },
        'unembed.W_U': { tensor: 'm', layout: layout('v d -> d v', { sizes }) },
        last: {
          tensor: 'm',
          layout: layout('(half v) d -> v d', { sizes: { half: 2, v: ROWS / 2, d: COLUMNS }, at: { half: 1 } }),
        },
      };
      await use(watch, storedWeights(store, new Map(Object.entries(places))));
      await store.close();
    });

  it('opening reads nothing; a whole tensor comes in pieces of at most 4 MiB, at most four at once', () =>
    using(async ({ reads, most }, weights) => {
      expect(reads).to.deep.equal([]);
      const whole = await weights.read('unembed.W_U'); // [COLUMNS, ROWS]
      expect(whole[3 * ROWS + 5]).to.equal(5 * COLUMNS + 3);
      expect(Math.max(...reads.map(({ length }) => length))).to.be.at.most(4 << 20);
      expect(reads.reduce((sum, { length }) => sum + length, 0)).to.equal(4 * ROWS * COLUMNS);
      expect(most()).to.equal(4);
    }));

  it('rows of the embedding and columns of the tied unembedding cost their own bytes', () =>
    using(async ({ reads }, weights) => {
      const rows = await weights.rows('embed.W_E', [5, 4000, 5]);
      expect([rows[0], rows[COLUMNS], rows[2 * COLUMNS]]).to.deep.equal([5 * COLUMNS, 4000 * COLUMNS, 5 * COLUMNS]);
      expect(reads).to.deep.equal([
        { offset: START + 4 * 5 * COLUMNS, length: 4 * COLUMNS },
        { offset: START + 4 * 4000 * COLUMNS, length: 4 * COLUMNS },
      ]);
      reads.length = 0;
      const columns = await weights.columns('unembed.W_U', [7, 8]); // [2, COLUMNS]
      expect([columns[1], columns[COLUMNS]]).to.deep.equal([7 * COLUMNS + 1, 8 * COLUMNS]);
      expect(reads).to.deep.equal([{ offset: START + 4 * 7 * COLUMNS, length: 4 * 2 * COLUMNS }]);
    }));

  it('of a fused tensor only the part that is wanted', () =>
    using(async ({ reads }, weights) => {
      expect((await weights.read('last'))[0]).to.equal((ROWS / 2) * COLUMNS);
      expect(Math.min(...reads.map(({ offset }) => offset))).to.equal(START + 2 * ROWS * COLUMNS);
    }));
});
