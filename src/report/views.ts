/** The registry of what a report folder holds beside the record and its sidecars. */
import type { View } from './view.js';
import { circuitJson } from './formats/circuit-json.js';
import { html } from './pages/report.js';
import { markdown } from './pages/report-markdown.js';
import { svg } from './charts/circuit.js';

export const VIEWS: readonly View[] = [circuitJson, markdown, html, svg];
