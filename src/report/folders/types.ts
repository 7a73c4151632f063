/** What a run's folder holds: its record, the sidecars that the record names, and views of the two. */
import type { ListRecord, PairsRecord } from '../records/pairs.js';
import type { SidecarRecord } from '../records/report.js';
import type { RenderedFile, View } from '../view.js';

export interface RunFolder<Kept extends object> {
  /** schemas/<key>.schema.json */
  readonly key: string;
  /** what its record is called, by which a folder is known */
  readonly file: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly sidecars: (record: Kept) => readonly SidecarRecord[];
  readonly lists?: (record: Kept) => readonly ListRecord[];
  readonly views: readonly View<Kept>[];
}

/** The file of all pairs, where the record shows some. */
export const pairsFile = ({ pairs }: { readonly pairs?: PairsRecord | undefined }): readonly ListRecord[] =>
  pairs?.all ? [pairs.all] : [];

/** A view that is one file of one record. */
export const page = <Kept extends object>(
  file: string,
  title: string,
  draw: (record: Kept) => RenderedFile['content'],
): View<Kept> => ({ key: file, title, render: ({ record }) => [{ file, content: draw(record) }] });
