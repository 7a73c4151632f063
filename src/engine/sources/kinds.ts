/** Where an intervention's values come from and which way they go. */

/** Where an intervention's values come from, by the names of requests and reports; `sources.ts` says what each is. */
export const SOURCE_KINDS = [
  'other-prompt',
  'zero',
  'zero-with-positions',
  'mean',
  'positional-mean',
  'template-mean',
  'gaussian',
  'learned',
] as const;

export type SourceKind = (typeof SOURCE_KINDS)[number];

/** `noising`: changed values come into the clean run. `denoising`: clean values come into the corrupt run (source `other-prompt`). */
export type Direction = 'noising' | 'denoising';
