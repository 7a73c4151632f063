import { readFileSync } from 'node:fs';

/** Thevenin's own version, from the package file two levels above both src/run and dist/run. */
export const theveninVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
};
