/** Optional packages: absent, broken or loaded; each failure is a line that says what to do. */
import { createRequire } from 'node:module';
import { refuse } from '../errors.js';

const require = createRequire(import.meta.url);

/** Whether a package is installed where Thevenin can find it; nothing of it is run. */
function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The absolute path of a file inside a package. */
export const fileInPackage = (path: string): string => require.resolve(path);

/** A package's CommonJS exports, typed by the caller. */
export const requirePackage = (name: string): unknown => require(name);

export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!.trim();

export interface Needs {
  /** the runtime's key */
  readonly key: string;
  /** name@version */
  readonly packages: readonly string[];
  /** what to do when a package is there but does not load */
  readonly repair: string;
}

const nameOf = (versioned: string): string => versioned.slice(0, versioned.lastIndexOf('@'));

/** Why packages cannot even be tried, or null when all are installed. Costs nothing: none of them is run. */
export function missingPackages({ key, packages }: Needs): string | null {
  const absent = packages.filter((one) => !isInstalled(nameOf(one)));
  if (absent.length === 0) return null;
  const names = absent.map(nameOf).join(' and ');
  return `${key} needs ${names}, not installed here: npm install ${absent.join(' ')}`;
}

/**
 * Runs `load`, turning whatever goes wrong into one line.
 * @throws TheveninError runtime/unavailable
 */
export async function loadOrRefuse<Loaded>(needs: Needs, load: () => Promise<Loaded>): Promise<Loaded> {
  const missing = missingPackages(needs);
  if (missing !== null) return refuse('runtime/unavailable', missing);
  try {
    return await load();
  } catch (error) {
    return refuse('runtime/unavailable', `${needs.key} does not load (${firstLine(error)}): ${needs.repair}`, error);
  }
}
