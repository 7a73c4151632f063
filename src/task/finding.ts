/** What the linter says, and how a run refuses a task because of it. */
import { refuse } from '../errors.js';
import { printable } from '../printable.js';

export interface Finding {
  readonly severity: 'error' | 'warning';
  /** key of the lint rule */
  readonly rule: string;
  readonly file: string;
  /** index of the pair in the task file, from 0; null when the finding is about the whole task */
  readonly pair: number | null;
  /** token position in the prompt as it is run (BOS counted), from 0; null when the finding is about no single position */
  readonly position: number | null;
  /** one line: file, pair, position, what is wrong and what to do */
  readonly message: string;
}

interface Place {
  readonly file: string;
  readonly pair?: number;
  readonly position?: number;
}

/** A finding whose message begins with its place. */
export const finding = (severity: Finding['severity'], rule: string, place: Place, what: string): Finding => {
  const { file, pair = null, position = null } = place;
  const where = [file, pair === null ? null : `pair ${pair}`, position === null ? null : `position ${position}`];
  return {
    severity,
    rule,
    file,
    pair,
    position,
    message: printable(`${where.filter((part) => part !== null).join(', ')}: ${what}`),
  };
};

/**
 * Lets a task pass whose findings are at most warnings.
 * @throws task/faulty with the first error and how many there are
 */
export const requireClean = (findings: readonly Finding[]): void => {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const others = errors.length - 1;
  refuse(
    'task/faulty',
    others === 0 ? first.message : `${first.message} (and ${others} more error${others > 1 ? 's' : ''})`,
  );
};
