import { scalar } from './types.js';

/** Exact up to 2^24. */
export const i32 = scalar('I32', 4, (bytes, at) => bytes.getInt32(at, true));
