import { expect } from 'chai';
import { bytes, integer, number, oneOf, tokenIds } from '../../src/cli/parse.js';

describe('option values', () => {
  it('reads whole numbers within bounds, in digits only', () => {
    const parse = integer({ least: 0, most: 10 });
    expect(['0', '7', '10'].map(parse)).to.deep.equal([0, 7, 10]);
    for (const text of ['', '-1', '11', '1.0', '0x5', ' 5', '5 ', '1e1', '٣'])
      expect(() => parse(text), text).to.throw('from 0 to 10');
  });

  it('reads decimal numbers', () => {
    expect(['0.05', '-3', '1e-3', '.5'].map(number)).to.deep.equal([0.05, -3, 0.001, 0.5]);
    for (const text of ['', 'NaN', 'Infinity', '1,5', '1e999', '.'])
      expect(() => number(text), text).to.throw('a number');
  });

  it('reads amounts of memory in binary units', () => {
    expect(['1024', '512MiB', '4GiB', '1.5 GiB'].map(bytes)).to.deep.equal([1024, 2 ** 29, 2 ** 32, 1.5 * 2 ** 30]);
    for (const text of ['', '0', '-1GiB', '4GB', '4 g', '4gib']) expect(() => bytes(text), text).to.throw('4GiB');
  });

  it('reads token ids', () => {
    expect(tokenIds('464,3290,0')).to.deep.equal([464, 3290, 0]);
    for (const text of ['', '1,', '1, 2', '-1', '1.5']) expect(() => tokenIds(text), text).to.throw('token ids');
  });

  it('reads one of several words', () => {
    const parse = oneOf('left', 'right');
    expect(parse('left')).to.equal('left');
    for (const text of ['', 'Left', 'lef']) expect(() => parse(text)).to.throw('one of left, right');
  });
});
