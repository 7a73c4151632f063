/** How a run that was run again differs from its record. */
import type { Difference } from '../../jobs/records/differences.js';
import type { Rerun } from '../../jobs/records/rerun.js';
import { whole } from '../../report/format.js';
import { table } from './table.js';

const DIGEST = /^[0-9a-f]{64}$/;
const SHOWN = 12;

const valueOf = (value: unknown): string => {
  if (value === undefined) return '–';
  if (typeof value === 'number') return `${value}`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return DIGEST.test(text) ? `${text.slice(0, SHOWN)}…` : text;
};

const row = ({ at, count, of, was, is }: Difference): string[] => [
  at,
  of === 1 ? '' : `${whole(count)} of ${whole(of)}`,
  valueOf(was),
  valueOf(is),
];

export const describeRerun = ({ kind, differences, compared, tolerance, written }: Rerun): string => {
  const how = `${whole(compared)} values compared, numbers to ${tolerance} of the largest of their kind`;
  const files = written.map((file) => `written: ${file}`);
  if (differences.length === 0) return [`${kind}: nothing differs; ${how}`, ...files].join('\n');
  return [`${kind}: ${how}`, table(['what differs', 'how many', 'was', 'is'], differences.map(row)), ...files].join(
    '\n',
  );
};
