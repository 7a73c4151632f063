import { drawResponses } from '../charts/steering.js';
import { steeringPage } from '../pages/steering.js';
import { STEERING_SCHEMA, type SteeringRecord } from '../records/steering.js';
import { page, pairsFile, type RunFolder } from './types.js';

export const STEERING: RunFolder<SteeringRecord> = {
  key: 'steering',
  file: 'steering.json',
  schema: STEERING_SCHEMA,
  sidecars: ({ perExample, values }) => [perExample, values],
  lists: pairsFile,
  views: [
    page('steering.html', 'doses, tokens and continuations', steeringPage),
    { key: 'responses', title: 'doses and what they do, drawn', render: ({ record }) => drawResponses(record) },
  ],
};
