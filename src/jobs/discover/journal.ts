/**
 * The journal of exact effects: a JSON Lines file that grows while they are measured. The first line says of what run it is; each
 * other one holds an edge and its effect on every pair. A last line cut short by a crash is measured again.
 */
import { createHash } from 'node:crypto';
import { appendFile, readFile, truncate } from 'node:fs/promises';
import { cutName } from '../../attribution/edges/resolution.js';
import type { Effect, Journal } from '../../attribution/edges/types.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import { refuse } from '../../errors.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { Workbench } from '../workbench.js';

const FORMAT = 'thevenin exact effects 2';

interface Heading {
  readonly format: string;
  readonly weights: string;
  readonly examples: string;
  readonly metric: string;
  readonly source: string;
  readonly runtime: string;
  /** groups of positions told apart */
  readonly groups: string;
}

interface Of {
  readonly task: CheckedTask;
  readonly examples: readonly Example[];
  readonly source: string;
  readonly groups?: PositionGroups | undefined;
}

/**
 * Opens a journal to go on with, or begins one.
 * @throws TheveninError discovery/journal: it is of another run; file/unreadable, file/unwritable
 */
export async function openJournal(file: string, { model, runtime, engine }: Workbench, of: Of): Promise<Journal> {
  const heading: Heading = {
    format: FORMAT,
    weights: await model.weights.digest(),
    examples: createHash('sha256').update(JSON.stringify(of.examples)).digest('hex'),
    metric: of.task.metric,
    source: of.source,
    runtime: runtime.info.key,
    groups: JSON.stringify(of.groups?.names ?? []),
  };
  const { universe } = engine;
  const text = await readText(file);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const known = new Map<string, Float64Array>();
  const names = new Set(of.groups?.names);
  const isCut = (name: string): boolean => {
    const [edge = '', group] = name.split('@');
    return universe.edgeIndex(edge) !== undefined && (group === undefined || names.has(group));
  };
  if (whole === '') await append(file, `${JSON.stringify(heading)}\n`, text.length > 0);
  else {
    const [first = '', ...lines] = whole.trimEnd().split('\n');
    requireSame(file, parse(file, first), heading);
    if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole));
    for (const line of lines) {
      const { edge, effects } = parse(file, line) as { edge?: string; effects?: number[] };
      if (edge === undefined || !isCut(edge) || !Array.isArray(effects) || effects.length !== of.examples.length)
        return refuse(
          'discovery/journal',
          `${file}: a line is not an edge with ${of.examples.length} effects; name another file with --journal`,
        );
      known.set(edge, Float64Array.from(effects));
    }
  }
  return {
    known,
    add: (effects) =>
      append(file, effects.map((effect) => lineOf(cutName(universe, effect, of.groups), effect)).join('')),
  };
}

const lineOf = (edge: string, { values }: Effect): string => `${JSON.stringify({ edge, effects: [...values] })}\n`;

function parse(file: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return refuse(
      'discovery/journal',
      `${file}: a line is not JSON, so this is no journal of effects; name another file with --journal`,
      error,
    );
  }
}

function requireSame(file: string, found: unknown, expected: Heading): void {
  const other = (Object.keys(expected) as (keyof Heading)[]).find(
    (key) => (found as Partial<Heading> | null)?.[key] !== expected[key],
  );
  if (other !== undefined)
    refuse(
      'discovery/journal',
      `${file} is the journal of another run: its ${other} differ; name another file with --journal, or remove it`,
    );
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? ''
      : refuse('file/unreadable', `${file}: ${message}; a journal must be a file that can be read and written`, error);
  }
}

async function append(file: string, text: string, afresh = false): Promise<void> {
  try {
    if (afresh) await truncate(file, 0);
    await appendFile(file, text);
  } catch (error) {
    refuse(
      'file/unwritable',
      `cannot write the journal ${file}: ${(error as Error).message}; name another file with --journal`,
      error,
    );
  }
}
