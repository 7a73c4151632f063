import { expect } from 'chai';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GENERATED } from '../../docs/generated.js';
import { CATALOGUE, TheveninError, type ErrorCode } from '../../src/errors.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

describe('generated files', () => {
  for (const { path, content } of GENERATED) {
    it(`${path} is what its source says (else: npm run docs)`, async () => {
      expect(read(path)).to.equal(await content());
    });
  }
});

describe('the error catalogue', () => {
  const codes = Object.keys(CATALOGUE) as ErrorCode[];
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
    .map((file) => read(`src/${file}`));

  it('documents every code, with its exit code and meaning, in docs/errors.md', () => {
    const page = read('docs/errors.md');
    for (const code of codes) {
      const { exit, summary } = CATALOGUE[code];
      expect(page).to.contain(`| \`${code}\` | ${exit} | ${summary.replaceAll('|', '\\|')} |`);
    }
  });

  it('has no code that nothing raises', () => {
    const unraised = codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)));
    expect(unraised).to.deep.equal([]);
  });

  it('names codes area/what and ends each meaning as a sentence', () => {
    for (const code of codes) {
      expect(code).to.match(/^[a-z]+\/[a-z-]+$/);
      expect(CATALOGUE[code].summary).to.match(/^[A-Z].*\.$/);
    }
  });

  it('gives an error its exit code', () => {
    expect(new TheveninError('file/missing', 'x')).to.include({ code: 'file/missing', exit: 2 });
    expect(new TheveninError('cli/interrupted', 'x').exit).to.equal(130);
  });
});
