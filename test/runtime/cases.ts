/** Uses of ops beyond the smallest: what kernels written for images and small ranks get wrong. */
import * as o from '../../src/program/index.js';
import type { OpCase } from '../helpers/op-cases.js';

const one = (title: string, leaves: OpCase['leaves'], build: OpCase['build']): OpCase => ({ title, leaves, build });

const SIX = ['batch', 2, 'pos', 2, 3, 2] as const;

export const LAYOUT_CASES: readonly OpCase[] = [
  one('transpose of six axes', { x: { shape: SIX } }, ({ x }) => o.transpose(x!, [4, 0, 2, 5, 1, 3])),
  one('transpose of six axes, pairs staying together', { x: { shape: SIX } }, ({ x }) =>
    o.transpose(x!, [3, 4, 0, 1, 5, 2]),
  ),
  one(
    'add of six axes, broadcast both ways',
    { a: { shape: ['batch', 1, 'pos', 2, 1, 2] }, b: { shape: [2, 1, 2, 3, 1] } },
    ({ a, b }) => o.add(a!, b!),
  ),
  one(
    'where of five axes',
    { a: { shape: ['batch', 2, 1, 1, 3] }, b: { shape: ['pos', 2, 3] }, c: { shape: [] } },
    ({ a, b, c }) => o.where(o.greater(a!, 0), b!, c!),
  ),
  one('sum over alternating axes', { x: { shape: SIX } }, ({ x }) => o.sum(x!, [0, 2, 4])),
  one('mean over alternating axes, kept', { x: { shape: SIX } }, ({ x }) => o.mean(x!, [1, 3, 5], true)),
  one('max over inner axes', { x: { shape: SIX } }, ({ x }) => o.max(x!, [1, 2])),
  one('slice of six axes', { x: { shape: SIX } }, ({ x }) => o.slice(x!, 4, [1, 3])),
  one('pad of six axes', { x: { shape: SIX } }, ({ x }) => o.pad(x!, 1, [1, 2])),
  one('concat of six axes', { a: { shape: SIX }, b: { shape: SIX } }, ({ a, b }) => o.concat([a!, b!], 2)),
  one(
    'gather from six axes by two',
    { x: { shape: SIX }, i: { shape: ['pos', 2], dtype: 'int', range: [0, 3] } },
    ({ x, i }) => o.gather(x!, i!, 4),
  ),
  one('softmax of five axes', { x: { shape: ['batch', 2, 'pos', 2, 3] } }, ({ x }) => o.softmax(x!)),
  one('softmax of numbers whose exponentials overflow', { x: { shape: ['pos', 4] } }, ({ x }) =>
    o.softmax(o.add(x!, 90)),
  ),
  one('broadcast of inner and outer axes', { x: { shape: ['batch', 1, 'pos', 1] } }, ({ x }) =>
    o.broadcast(x!, [2, 'batch', 3, 'pos', 2]),
  ),
  one('one matrix by many', { a: { shape: ['pos', 4] }, b: { shape: [3, 4, 2] } }, ({ a, b }) => o.matmul(a!, b!)),
  one(
    'many rows by one matrix under a batch of one',
    { a: { shape: [3, 'pos', 4] }, b: { shape: [1, 4, 2] } },
    ({ a, b }) => o.matmul(a!, b!),
  ),
  one('every batch by every head', { a: { shape: ['batch', 1, 'pos', 4] }, b: { shape: [1, 3, 4, 2] } }, ({ a, b }) =>
    o.matmul(a!, b!),
  ),
  one(
    'integers sliced and reshaped before they index',
    { x: { shape: [5, 2] }, i: { shape: ['pos', 4], dtype: 'int', range: [0, 5] } },
    ({ x, i }) => o.gather(x!, o.reshape(o.slice(i!, 1, [1, 3]), ['2*pos']), 0),
  ),
  one('sine and cosine of large angles', { x: { shape: ['pos', 8], range: [100, 2000] } }, ({ x }) =>
    o.add(o.sin(x!), o.mul(o.cos(x!), 2)),
  ),
];
