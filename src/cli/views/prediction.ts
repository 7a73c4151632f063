/** Next tokens as a table. */
import type { Prediction } from '../../jobs/inspect/predict.js';
import { fixed } from '../../fixed.js';
import { printable } from '../../printable.js';
import { table } from './table.js';

export const predictionTable = ({ top, warnings }: Prediction): string =>
  [...warnings.map((warning) => `warning  ${printable(warning)}\n`), topTable(top)].join('\n');

const topTable = (top: Prediction['top']): string =>
  table(
    ['token', 'id', 'probability', 'log-probability'],
    top.map(({ id, text, logprob }) => [
      text === null ? '' : JSON.stringify(text),
      `${id}`,
      Math.exp(logprob).toPrecision(3),
      fixed(logprob, 4),
    ]),
  );
