import { halfAt } from './half.js';
import { scalar } from './types.js';

export const f16 = scalar('F16', 2, halfAt);
