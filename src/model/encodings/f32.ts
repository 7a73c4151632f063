import { scalar } from './types.js';

export const f32 = scalar('F32', 4, (bytes, at) => bytes.getFloat32(at, true));
