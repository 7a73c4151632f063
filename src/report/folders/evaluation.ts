import { evaluationMarkdown, evaluationPage } from '../pages/evaluation.js';
import { EVALUATION_SCHEMA, type CircuitEvaluationRecord } from '../records/evaluation.js';
import { page, type RunFolder } from './types.js';

export const EVALUATION: RunFolder<CircuitEvaluationRecord> = {
  key: 'evaluation',
  file: 'evaluation.json',
  schema: EVALUATION_SCHEMA,
  sidecars: () => [],
  views: [
    page('evaluation.html', 'what every criterion makes of the circuit', evaluationPage),
    page('evaluation.md', 'the same as text', evaluationMarkdown),
  ],
};
