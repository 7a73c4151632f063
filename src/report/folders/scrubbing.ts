import { drawHypothesis } from '../charts/scrubbing.js';
import { scrubbingMarkdown, scrubbingPage } from '../pages/scrubbing.js';
import { SCRUBBING_SCHEMA, type ScrubbingRecord } from '../records/scrubbing.js';
import { page, pairsFile, type RunFolder } from './types.js';

export const SCRUBBING: RunFolder<ScrubbingRecord> = {
  key: 'scrubbing',
  file: 'scrubbing.json',
  schema: SCRUBBING_SCHEMA,
  sidecars: ({ perExample }) => perExample,
  lists: pairsFile,
  views: [
    page('scrubbing.html', 'the hypothesis drawn, and each claim alone', scrubbingPage),
    page('scrubbing.md', 'the same as text', scrubbingMarkdown),
    page('hypothesis.svg', 'the hypothesis', (record) => `${drawHypothesis(record)}\n`),
  ],
};
