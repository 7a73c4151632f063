import { HOPS_SCHEMA, type HopsRecord } from '../records/hops.js';
import { pairsFile, type RunFolder } from './types.js';

export const HOPS: RunFolder<HopsRecord> = {
  key: 'hops',
  file: 'hops.json',
  schema: HOPS_SCHEMA,
  sidecars: () => [],
  lists: pairsFile,
  views: [],
};
