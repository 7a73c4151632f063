/** What a view or exchange format is: a function of the record and its sidecars alone. */
import type { ReportRecord } from './records/report.js';
import type { Sidecar } from './sidecar.js';

export interface Report {
  readonly record: ReportRecord;
  readonly sidecars: readonly Sidecar[];
}

export interface ViewOptions {
  /** never compress */
  readonly plain: boolean;
}

export interface RenderedFile {
  readonly file: string;
  readonly content: string | Uint8Array;
}

export interface View {
  readonly key: string;
  readonly title: string;
  /** every name this view may write; a folder holds at most one of them */
  readonly files: readonly string[];
  readonly render: (report: Report, options: ViewOptions) => RenderedFile;
}
