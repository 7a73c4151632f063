import type { Model } from '../types.js';

/** What a path is: its entries where it is a folder, null where it is a file. */
export interface Place {
  readonly path: string;
  readonly entries: readonly string[] | null;
}

/** One way models lie on disk. */
export interface ModelFormat {
  readonly title: string;
  /** what there must be, for the message when nothing fits */
  readonly looksLike: string;
  recognises(place: Place): boolean;
  /** Reads headers and the tokenizer, no weights. @throws any code of model/, weights/, file/ */
  load(place: Place): Promise<Model>;
}
