/** What is per edge or per example: npy files beside the record, named in it with their digests. */
import { createHash } from 'node:crypto';
import { dtypeOf, encodeNpy } from './formats/npy.js';
import type { NpyArray } from './formats/npy.js';
import type { SidecarRecord } from './records/report.js';

export interface Sidecar {
  /** file name, e.g. scores.npy */
  readonly file: string;
  readonly data: NpyArray;
  readonly shape: readonly number[];
  /** what each axis runs over: edge | example | … */
  readonly axes: readonly string[];
  readonly what: string;
}

/** The sidecar that every report has: the mean score of every edge, [edge], float64. */
export const SCORES_FILE = 'scores.npy';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What the record says about a sidecar. */
export const describeSidecar = ({ file, data, shape, axes, what }: Sidecar): SidecarRecord => ({
  file,
  sha256: sha256(encodeNpy(data, shape)),
  dtype: dtypeOf(data),
  shape: [...shape],
  axes: [...axes],
  what,
});
