import type { DType } from '../../program/index.js';
import { sizeOf } from '../bind.js';
import type { Tensor } from '../types.js';
import { Room, type Meter } from './meter.js';

export interface OfFloats {
  readonly bytesPerFloat: 4 | 8;
}

/** A tensor without values: it reads as zeros. */
export interface ShapeTensor extends Tensor {
  readonly room: Room;
}

export function makeShapeTensor(
  meter: Meter,
  given: { shape: readonly number[]; dtype: DType; of: OfFloats; room?: Room },
): ShapeTensor {
  const { shape, dtype, of } = given;
  const size = sizeOf(shape);
  const room = given.room ?? new Room(meter, size * (dtype === 'int' ? 4 : of.bytesPerFloat));
  room.retain();
  let disposed = false;
  return {
    ...{ shape, dtype, room },
    read: () => Promise.resolve(zeros(size, dtype, of)),
    dispose: () => {
      if (!disposed) room.release();
      disposed = true;
    },
  };
}

const zeros = (size: number, dtype: DType, { bytesPerFloat }: OfFloats): Float32Array | Float64Array | Int32Array =>
  dtype === 'int' ? new Int32Array(size) : bytesPerFloat === 8 ? new Float64Array(size) : new Float32Array(size);
