/** The installed package itself: where what it ships lies, and its version. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's folder: it holds `models/`, `tasks/` and `circuits/`. The same from `src/` and from `dist/`. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

export const packageVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};
