import { ggufFormat } from './gguf.js';
import { huggingFaceFormat } from './hugging-face.js';
import { plainFormat } from './plain.js';
import type { ModelFormat } from './types.js';

export type { Place } from './types.js';

/** In the order in which a folder is tried. */
export const FORMATS: readonly ModelFormat[] = [plainFormat, huggingFaceFormat, ggufFormat];
