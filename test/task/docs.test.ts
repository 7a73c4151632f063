import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { GENERATORS } from '../../src/task/generators/index.js';
import { IMPORTERS } from '../../src/task/importers/index.js';
import { LINT_RULES } from '../../src/task/lint/index.js';
import { TASK_METRICS } from '../../src/task/metrics.js';
import { parseTask } from '../../src/task/schema.js';

describe('docs/task-files.md', () => {
  const page = readFileSync(new URL('../../docs/task-files.md', import.meta.url), 'utf8');

  it('has a row for every metric, generator, lint rule and importer, and for nothing else', () => {
    const rows = [...page.matchAll(/^\| `([\w-]+)` *\|/gm)].map(([, key]) => key);
    const keys = [TASK_METRICS, GENERATORS, LINT_RULES, IMPORTERS].flatMap((list) =>
      list.map(({ key }): string => key),
    );
    expect(rows).to.have.members(keys);
  });

  it("names every generator's options", () => {
    for (const { key, options } of GENERATORS) {
      const row = page
        .split('\n')
        .find((line) => new RegExp(`^\\| \`${key}\` .*(s2-swap|tokens|year|boys|def)`).test(line));
      for (const option of Object.keys(options.properties)) expect(row).to.include(`\`${option}\``);
    }
  });

  it('shows task files that are valid', () => {
    const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map(([, text]) => text as string);
    expect(examples).to.have.length(2);
    for (const text of examples) parseTask(JSON.parse(text), 'example');
  });
});
