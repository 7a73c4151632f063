/** Holds records to their published schemas. */
import { Ajv } from 'ajv';
import { invariant } from '../errors.js';
import { REPORT_SCHEMA } from './records/report.js';
import type { RenderedFile } from './view.js';

type Schema = Readonly<Record<string, unknown>>;

/** What about a value does not fit a record's schema, the first place alone; null where it fits. */
export const recordProblem = (value: unknown, schema: Schema = REPORT_SCHEMA): string | null => {
  const validate = new Ajv().compile(schema);
  if (validate(value)) return null;
  const [error] = validate.errors!;
  return `${error!.instancePath === '' ? 'the record' : error!.instancePath} ${error!.message}`;
};

/** A record as the file that is written of it, held to its schema before. */
export const recordFile = (file: string, record: object, schema: Schema): RenderedFile => {
  const problem = recordProblem(record, schema);
  invariant(problem === null, `${file} fits its schema: ${problem}`);
  return { file, content: `${JSON.stringify(record, null, 2)}\n` };
};
