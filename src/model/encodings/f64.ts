import { scalar } from './types.js';

/** Rounded to float32. */
export const f64 = scalar('F64', 8, (bytes, at) => bytes.getFloat64(at, true));
