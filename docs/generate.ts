/** `npm run docs`: writes every generated file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './generated.js';

for (const { path, content } of GENERATED) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await content());
  console.log(`written ${path}`);
}
