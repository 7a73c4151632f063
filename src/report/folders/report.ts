import { svg } from '../charts/circuit.js';
import { markdown } from '../pages/report-markdown.js';
import { html } from '../pages/report.js';
import { REPORT_SCHEMA, type ReportRecord } from '../records/report.js';
import { circuitJson } from './circuit-json.js';
import { pairsFile, type RunFolder } from './types.js';

export const REPORT: RunFolder<ReportRecord> = {
  key: 'report',
  file: 'report.json',
  schema: REPORT_SCHEMA,
  sidecars: ({ sidecars }) => sidecars,
  lists: pairsFile,
  views: [circuitJson, markdown, html, svg],
};
