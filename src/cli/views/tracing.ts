/** A record of causal tracing as the few lines that a terminal shows. */
import { number } from '../../report/format.js';
import type { TracingRecord } from '../../report/records/tracing.js';
import { describePatching } from './patching.js';

/** @param written the files to name, most telling first */
export const describeTracing = (record: TracingRecord, written: readonly string[]): string => {
  const { facts, noise } = record;
  const { asked, tried, known, withoutSubject, traced } = facts;
  const of = tried === undefined ? `${asked} facts` : `the first ${tried} of ${asked} facts`;
  return [
    `${known} of ${of} are known${withoutSubject > 0 ? `, ${withoutSubject} subjects are not whole tokens` : ''}; ${traced} traced under noise of ${number(noise.scale)} (${noise.factor} standard deviations), ${noise.samples} draws`,
    describePatching(record, written),
  ].join('\n');
};
