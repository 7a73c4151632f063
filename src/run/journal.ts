/**
 * The journal of exact effects: a JSON Lines file that grows while they are measured. The first line says of what run it is; each
 * other one holds an edge and its effect on every pair. A last line cut short by a crash is measured again.
 */
import { createHash } from 'node:crypto';
import { appendFile, readFile, truncate } from 'node:fs/promises';
import type { Effect, Journal } from '../discovery/types.js';
import { refuse } from '../errors.js';
import type { CheckedTask, Example } from '../task/types.js';
import type { Ablation } from './request.js';
import type { Workbench } from './workbench.js';

const FORMAT = 'thevenin exact effects 1';

interface Heading {
  readonly format: string;
  readonly weights: string;
  readonly examples: string;
  readonly metric: string;
  readonly source: string;
  readonly runtime: string;
}

interface Of {
  readonly task: CheckedTask;
  readonly examples: readonly Example[];
  readonly source: Ablation;
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
  };
  const { universe } = engine;
  const text = await readText(file);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const known = new Map<number, Float64Array>();
  if (whole === '') await append(file, `${JSON.stringify(heading)}\n`, text.length > 0);
  else {
    const [first = '', ...lines] = whole.trimEnd().split('\n');
    requireSame(file, parse(file, first), heading);
    if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole));
    for (const line of lines) {
      const { edge, effects } = parse(file, line) as { edge?: string; effects?: number[] };
      const index = edge === undefined ? undefined : universe.edgeIndex(edge);
      if (index === undefined || !Array.isArray(effects) || effects.length !== of.examples.length)
        return refuse(
          'discovery/journal',
          `${file}: a line is not an edge with ${of.examples.length} effects; name another file with --journal`,
        );
      known.set(index, Float64Array.from(effects));
    }
  }
  return {
    known,
    add: (effects) => append(file, effects.map((effect) => lineOf(universe.edgeName(effect.edge), effect)).join('')),
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
