import { gemma2 } from './gemma2.js';
import { gpt2 } from './gpt2.js';
import { gptNeox } from './gpt-neox.js';
import { llama } from './llama.js';
import { plain } from './plain.js';
import type { Architecture } from './types.js';

export type { Architecture, Dialect, DialectKind } from './types.js';

export const ARCHITECTURES: readonly Architecture[] = [gemma2, gpt2, gptNeox, llama, plain];
