/** What an importer of data sets is. One importer = one file + one line in index.ts. */
import type { ModelConfig, Tokenizer } from '../../model/types.js';
import type { TaskPair } from '../schema.js';
import type { MetricKey } from '../types.js';

export interface ImportOptions {
  /** how messages name the file */
  readonly path: string;
  /** of the task; the importer's key unless given */
  readonly name?: string;
  /** the column or field that holds the corrupt prompt, where a format has several */
  readonly corrupt?: string;
  /** answers as text (the default where a row has it) or as the file's own token ids, which fit one tokenizer only */
  readonly answers?: 'text' | 'ids';
  /** rows in which the linter finds an error for this model are dropped and counted; without it none is tried */
  readonly model?: { readonly tokenizer: Tokenizer | null; readonly config: ModelConfig };
}

/** A row that became a pair, or why it did not. */
export type Row = TaskPair | { readonly dropped: string };

export interface ImportedRows {
  readonly metric: MetricKey;
  readonly rows: readonly Row[];
  readonly note?: string;
}

export interface Importer {
  readonly key: string;
  readonly title: string;
  /** where the format comes from */
  readonly reference: string;
  /** Whether a file begins as this format's do: for whoever takes it for a task. */
  recognises(beginning: string): boolean;
  /** @throws task/json, task/import */
  read(text: string, options: ImportOptions): ImportedRows;
}

/** A text of at least one character. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The field's text after a space, as answers stand in running text; null when there is none. */
export const spaced = (value: unknown): string | null => (isText(value) ? ` ${value.trim()}` : null);
