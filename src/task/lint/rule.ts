/** What a lint rule is. One rule = one file + one line in index.ts. */
import { finding, type Finding } from '../finding.js';
import type { PreparedAnswer, PreparedOption, PreparedPair, PreparedTask } from '../prepare.js';

export interface LintRule {
  readonly key: string;
  /** what it looks for, in a line */
  readonly title: string;
  check(task: PreparedTask): Finding[];
}

/** What a rule says about one pair. */
export interface Remark {
  readonly severity?: Finding['severity'];
  readonly position?: number;
  readonly what: string;
}

/** A rule that looks at each pair alone; its remarks are errors unless they say otherwise. */
export const pairRule = (
  key: string,
  title: string,
  remarks: (pair: PreparedPair, task: PreparedTask) => readonly Remark[],
): LintRule => ({
  key,
  title,
  check: (task) =>
    task.pairs.flatMap((pair) =>
      remarks(pair, task).map(({ severity = 'error', position, what }) =>
        finding(
          severity,
          key,
          { file: task.context.path, pair: pair.index, ...(position === undefined ? {} : { position }) },
          what,
        ),
      ),
    ),
});

export interface NamedOption extends PreparedOption {
  readonly role: 'correct' | 'incorrect';
  readonly answer: PreparedAnswer;
}

/** Every member of every answer set of a pair. */
export const everyOption = ({ answers }: PreparedPair): NamedOption[] =>
  answers.flatMap((answer) =>
    (['correct', 'incorrect'] as const).flatMap((role) =>
      (answer[role] ?? []).map((option) => ({ ...option, role, answer })),
    ),
  );

/** `{position}` where there is one, for spreading into a remark. */
export const placed = (position: number | null | undefined): { position?: number } =>
  position === null || position === undefined ? {} : { position };

/** An answer as a message names it. */
export const quoted = (source: string | number): string =>
  typeof source === 'number' ? `id ${source}` : JSON.stringify(source);
