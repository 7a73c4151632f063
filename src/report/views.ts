/** The registry of what a report folder holds beside the record and its sidecars. */
import type { View } from './view.js';
import { circuitJson } from './views/circuit-json.js';
import { html } from './views/html.js';
import { markdown } from './views/markdown.js';
import { svg } from './views/svg.js';

export const VIEWS: readonly View[] = [circuitJson, markdown, html, svg];
