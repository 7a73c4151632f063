import { expect } from 'chai';
import fc from 'fast-check';
import { choose, layout, offsetTable } from '../../src/model/layout.js';
import type { Layout } from '../../src/model/layout.js';

/** Gathers a weight element by element, straight from the tables. */
const gather = (of: Layout, stored: readonly number[]): number[] => {
  const table = offsetTable(of.factors.flat());
  const out = new Array<number>(of.shape.reduce((product, size) => product * size, 1)).fill(NaN);
  table.forEach((to, from) => {
    if (to >= 0) out[to] = stored[from]!;
  });
  return out;
};

const upTo = (n: number): number[] => [...Array(n).keys()];

describe('layouts: where a weight lies in a stored tensor', () => {
  it('transposes a matrix', () => {
    const transposed = layout('out in -> in out', { sizes: { out: 2, in: 3 } });
    expect(transposed).to.deep.include({ stored: [2, 3], shape: [3, 2] });
    expect(gather(transposed, [1, 2, 3, 4, 5, 6])).to.deep.equal([1, 4, 2, 5, 3, 6]);
  });

  it('splits stored rows into heads: [head·e, d] becomes [head, d, e]', () => {
    const heads = layout('(head e) d -> head d e', { sizes: { head: 2, e: 2, d: 3 } });
    expect(heads).to.deep.include({ stored: [4, 3], shape: [2, 3, 2] });
    expect(gather(heads, upTo(12))).to.deep.equal([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
  });

  it('takes one of several fused matrices', () => {
    const key = layout('d (qkv head e) -> head d e', { sizes: { d: 2, qkv: 3, head: 1, e: 2 }, at: { qkv: 1 } });
    expect(gather(key, upTo(12))).to.deep.equal([2, 3, 8, 9]);
  });

  it("undoes GGUF's reordering of rotary rows: [half, pair] back to [pair, half]", () => {
    const rows = layout('(head half pair) -> head (pair half)', { sizes: { head: 1, half: 3, pair: 2 } });
    // row (pair p, half h) of the original lies at 2h + p
    expect(gather(rows, ['p0h0', 'p1h0', 'p0h1', 'p1h1', 'p0h2', 'p1h2'] as never)).to.deep.equal([
      'p0h0',
      'p0h1',
      'p0h2',
      'p1h0',
      'p1h1',
      'p1h2',
    ]);
  });

  it('a choice along an axis is the whole weight with the other indices left out', () => {
    const patterns = ['a b -> a b', 'a b -> b a', '(a b) c -> a c b', 'a (b c) -> b a c', 'b (a c) -> c b a'];
    const size = fc.integer({ min: 1, max: 4 });
    const law = fc.property(
      fc.constantFrom(...patterns),
      size,
      size,
      size,
      fc.nat(),
      fc.nat(),
      (pattern, a, b, c, pick, seed) => {
        const whole = layout(pattern, { sizes: { a, b, c } });
        const axis = pick % whole.shape.length;
        const indices = upTo(whole.shape[axis]!)
          .filter((i) => (seed >> i) & 1)
          .reverse();
        const part = choose(whole, axis, indices);
        if (!part) return whole.shape[axis] === 1; // only then is there nothing to choose
        const stored = upTo(whole.stored.reduce((x, y) => x * y, 1));
        const all = gather(whole, stored);
        const inner = whole.shape.slice(axis + 1).reduce((x, y) => x * y, 1);
        const outer = whole.shape.slice(0, axis).reduce((x, y) => x * y, 1);
        const expected = upTo(outer).flatMap((o) =>
          indices.flatMap((i) => upTo(inner).map((j) => all[(o * whole.shape[axis]! + i) * inner + j]!)),
        );
        expect(gather(part, stored)).to.deep.equal(expected);
        return true;
      },
    );
    fc.assert(law, { seed: 3, numRuns: 300 });
  });
});
