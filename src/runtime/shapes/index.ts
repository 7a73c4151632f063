/**
 * A runtime that computes shapes and no values, to learn what work would hold in memory before it is begun. Tensors read as zeros;
 * a meter counts what they would take, with what a kernel holds while it runs: every intermediate up to its last use.
 */
import { checkRows, checkSize, sizeOf } from '../bind.js';
import type { Runtime, Stack } from '../types.js';
import { ShapeKernel } from './kernel.js';
import { Meter } from './meter.js';
import { makeShapeTensor, type ShapeTensor } from './tensor.js';

/** Stands for another runtime: of the same precision, with stacks where that has them. */
export function createShapeRuntime(other: Runtime): { readonly runtime: Runtime; readonly meter: Meter } {
  const meter = new Meter(other.keeping);
  const of = { bytesPerFloat: other.info.precision === 'float64' ? 8 : 4 } as const;
  const share = (tensor: ShapeTensor, shape: readonly number[]): ShapeTensor =>
    makeShapeTensor(meter, { shape, dtype: tensor.dtype, of, room: tensor.room });
  const openStack = (row: readonly number[], capacity: number): Stack => {
    const whole = makeShapeTensor(meter, { shape: [capacity, ...row], dtype: 'float', of });
    let count = 0;
    return {
      push: (rows) => void (count += rows.shape[0] as number),
      all: () => share(whole, [count, ...row]),
      dispose: () => whole.dispose(),
    };
  };
  const runtime: Runtime = {
    info: { ...other.info, key: 'shapes', title: `shapes of ${other.info.key}`, shapesOnly: true },
    prepare: (program) => Promise.resolve(new ShapeKernel(program, meter, of)),
    tensor(values, shape, dtype = values instanceof Int32Array ? 'int' : 'float') {
      checkSize(values.length, shape);
      return makeShapeTensor(meter, { shape, dtype, of });
    },
    rows: (tensor, start, end) => share(tensor as ShapeTensor, checkRows(tensor.shape, start, end).shape),
    reshape(tensor, shape) {
      checkSize(sizeOf(tensor.shape), shape);
      return share(tensor as ShapeTensor, shape);
    },
    ...(other.stack ? { stack: openStack } : {}),
    dispose: () => Promise.resolve(),
  };
  return { runtime, meter };
}
