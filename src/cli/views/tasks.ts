/** What `thevenin tasks` and `thevenin validate` say of a task. */
import type { TaskCheck } from '../../task/check.js';
import { GENERATORS } from '../../task/generators/index.js';
import type { LoadedTask, ResolvedTask } from '../../task/files/load.js';
import { printable } from '../../printable.js';
import { bad, table } from './table.js';

interface TaskSummary {
  readonly task: string;
  readonly metric: string;
  /** as they stand in the file, or as many as the generator makes */
  readonly pairs: number;
  /** the generator's title, or where the pairs come from */
  readonly about: string;
}

export const describeTask = ({ source }: LoadedTask): TaskSummary => ({
  task: printable(source.name),
  metric: source.metric,
  pairs: source.pairs?.length ?? source.generator?.count ?? 0,
  about: aboutTask(source),
});

const aboutTask = ({ generator, provenance }: LoadedTask['source']): string => {
  const title = GENERATORS.find(({ key }) => key === generator?.name)?.title;
  const settings = Object.entries(generator?.options ?? {}).map(([key, value]) => `${key} ${String(value)}`);
  const source = typeof provenance === 'object' ? provenance.source : provenance;
  return printable([title ?? source ?? '', ...settings].join(', '));
};

export const taskTable = (tasks: readonly TaskSummary[]): string =>
  table(
    ['task', 'metric', 'pairs', 'about'],
    tasks.map(({ task, metric, pairs, about }) => [task, metric, `${pairs}`, about]),
  );

interface Validation {
  readonly task: string;
  readonly file: string;
  readonly model: string;
  readonly pairs: number;
  readonly valid: boolean;
  readonly findings: TaskCheck['findings'];
}

export const describeCheck = (
  { file, path }: ResolvedTask,
  { task, findings }: TaskCheck,
  model: string,
): Validation => ({
  task: printable(file.name),
  file: path,
  model: printable(model),
  pairs: file.pairs.length,
  valid: task !== null,
  findings,
});

const splitsLine = ({ task }: TaskCheck): string[] => {
  if (task === null) return [];
  const { discover, choose, report, whole } = task.splits;
  return [
    whole
      ? 'every pair used for everything'
      : `${discover.length} discover · ${choose.length} choose · ${report.length} report`,
  ];
};

export const checkLines = (validation: Validation, check: TaskCheck): string => {
  const { task, model, pairs, findings } = validation;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const counts = `${pairs} pairs, ${errors} errors, ${findings.length - errors} warnings`;
  return [
    ...findings.map(({ severity, message }) => `${severity === 'error' ? bad(severity) : severity}  ${message}`),
    [`${task} for ${model}: ${counts}`, ...splitsLine(check)].join('; '),
  ].join('\n');
};
