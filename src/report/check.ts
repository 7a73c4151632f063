/** Holds a record to its published schema. */
import { Ajv } from 'ajv';
import { REPORT_SCHEMA } from './record.js';

/** What about a value does not fit the record's schema, the first place alone; null where it fits. */
export const recordProblem = (value: unknown): string | null => {
  const validate = new Ajv().compile(REPORT_SCHEMA);
  if (validate(value)) return null;
  const [error] = validate.errors!;
  return `${error!.instancePath === '' ? 'the record' : error!.instancePath} ${error!.message}`;
};
