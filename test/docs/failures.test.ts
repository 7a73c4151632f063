/** The page on failures: a picture for each, and those who link to it find what they mean. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { FAILURE_PICTURES } from '../../docs/failures/pictures.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/failures.md');
const sections = page.split(/^## /m).slice(1);

/** As GitHub makes them of headings. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

describe('docs/failures.md', () => {
  it('shows a picture in every section, and every picture that is generated', () => {
    const shown = [...page.matchAll(/!\[[^\]]+\]\(([\w/.-]+)\)/g)].map(([, path]) => `docs/${path}`);
    expect(shown).to.have.members(FAILURE_PICTURES.map(({ path }) => path));
    for (const section of sections) expect(section, section.split('\n')[0]).to.match(/!\[/);
  });

  it('has every section that other pages link to', () => {
    const anchors = sections.map((section) => anchor(section.split('\n')[0]!));
    const links = [...read('docs/methods.md').matchAll(/\(failures\.md#([\w-]+)\)/g)].map(([, to]) => to!);
    expect(links).to.have.lengthOf.at.least(8);
    expect(anchors).to.include.members(links);
  });
});
