import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeNpy, encodeNpy } from '../../src/report/formats/npy.js';
import type { NpyArray } from '../../src/report/formats/npy.js';

const decode = (bytes: Uint8Array) => decodeNpy(bytes, 'x.npy');

describe('npy files', () => {
  it('have the header that NumPy writes, padded so that the data start at a multiple of 64', () => {
    const bytes = Buffer.from(encodeNpy(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]));
    const length = bytes.readUInt16LE(8);
    expect(bytes.toString('latin1', 0, 8)).to.equal('\u0093NUMPY\u0001\u0000');
    expect((10 + length) % 64).to.equal(0);
    expect(bytes.toString('latin1', 10, 10 + length).trimEnd()).to.equal(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
    );
    expect(bytes.readDoubleLE(10 + length + 8 * 5)).to.equal(6);
  });

  it('write one axis as Python writes a tuple of one', () => {
    expect(Buffer.from(encodeNpy(Int32Array.of(7), [1])).toString('latin1')).to.contain("'shape': (1,), }");
  });

  it('come back as they were, for every type and shape', () => {
    const arrays = fc.oneof(
      fc.float64Array({ maxLength: 24 }),
      fc.float32Array({ maxLength: 24 }),
      fc.uint8Array({ maxLength: 24 }),
      fc.int32Array({ maxLength: 24 }),
    );
    fc.assert(
      fc.property(arrays, (drawn) => {
        const data = drawn as NpyArray;
        const shape = data.length % 2 === 0 ? [2, data.length / 2] : [data.length];
        expect(decode(encodeNpy(data, shape))).to.deep.equal({ data, shape });
      }),
      { seed: 11 },
    );
  });

  it('are what numpy reads', function () {
    try {
      execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' });
    } catch {
      this.test!.title += ' (skipped: there is no numpy here)';
      this.skip();
    }
    const script =
      'import io,sys,numpy; a=numpy.load(io.BytesIO(sys.stdin.buffer.read())); print(a.dtype, a.shape, a.sum())';
    const input = encodeNpy(Float32Array.of(1, 2, 3.5, 4), [2, 2]);
    expect(execFileSync('python3', ['-c', script], { input }).toString()).to.equal('float32 (2, 2) 10.5\n');
  });

  it('are refused when they are damaged or of another kind, naming the file', () => {
    const good = Buffer.from(encodeNpy(Float64Array.of(1, 2), [2]));
    const changed = (from: string, to: string) => Buffer.from(good.toString('latin1').replace(from, to), 'latin1');
    expect(() => decode(new Uint8Array(4))).to.throw('x.npy: not an npy file');
    expect(() => decode(good.subarray(0, good.length - 1))).to.throw('x.npy: 15 bytes of data do not fill shape [2]');
    expect(() => decode(changed('<f8', '>f8'))).to.throw('x.npy: holds >f8');
    expect(() => decode(changed("False, 'shape': (2,), }", "True, 'shape': (2,), } "))).to.throw(
      'x.npy: holds <f8 in Fortran order',
    );
    expect(() => decode(changed('shape', 'shame'))).to.throw('x.npy: its header cannot be read');
  });

  it('are not written from values that do not fill the shape', () => {
    expect(() => encodeNpy(Float64Array.of(1, 2), [3])).to.throw('2 values do not fill shape [3]');
  });
});
