/** `npm run docs`: writes every generated file, and draws every committed run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { render } from '../src/jobs/records/render.js';
import { GENERATED } from './generated.js';
import { COMMITTED_RUNS } from './runs.js';

for (const { path, content } of GENERATED) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await content());
  console.log(`written ${path}`);
}

for (const run of COMMITTED_RUNS) {
  await render(fileURLToPath(new URL(`../${run}`, import.meta.url)));
  console.log(`drawn ${run}`);
}
