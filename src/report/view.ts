/** What a view or exchange format is: a function of a record and its sidecars alone. */
import type { Sidecar } from './sidecar.js';

/** A run as it is kept: all that is drawn of it is drawn of this. */
export interface Saved<Kept extends object> {
  readonly record: Kept;
  readonly sidecars: readonly Sidecar[];
  /** what the record shows in part */
  readonly lists?: readonly ListFile[];
}

/** A JSON file beside the record, named in it with its digest. */
export interface ListFile {
  readonly file: string;
  readonly content: string;
}

export interface RenderedFile {
  readonly file: string;
  readonly content: string | Uint8Array;
}

export interface View<Kept extends object> {
  readonly key: string;
  readonly title: string;
  /** names of one file, of which a folder holds at most one (circuit.json, circuit.json.gz); undefined: it is never named otherwise */
  readonly files?: readonly string[];
  /** Same record, same bytes. */
  readonly render: (saved: Saved<Kept>) => readonly RenderedFile[];
}
