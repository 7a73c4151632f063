import { scalar } from './types.js';

/** Exact up to 2^24. */
export const i64 = scalar('I64', 8, (bytes, at) => Number(bytes.getBigInt64(at, true)));
