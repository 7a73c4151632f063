import { bf16 } from './bf16.js';
import { f16 } from './f16.js';
import { f32 } from './f32.js';
import { f64 } from './f64.js';
import { i32 } from './i32.js';
import { i64 } from './i64.js';
import { q4_0 } from './q4_0.js';
import { q4_1 } from './q4_1.js';
import { q5_0 } from './q5_0.js';
import { q5_1 } from './q5_1.js';
import { q8_0 } from './q8_0.js';
import type { Encoding } from './types.js';

export type { Encoding } from './types.js';

/** Every number format that can be read, by the name both file formats give it. A new one is one file and one line. */
export const ENCODINGS: ReadonlyMap<string, Encoding> = new Map(
  [f32, f16, bf16, f64, i32, i64, q8_0, q4_0, q4_1, q5_0, q5_1].map((encoding) => [encoding.name, encoding]),
);
