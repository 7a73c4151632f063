/**
 * The journal of exact effects: a JSON Lines file that grows while they are measured. The first line says of what run it is; each
 * other one holds an edge and its effect on every pair. A last line cut short by a crash is measured again.
 */
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import type { Universe } from '../../circuit/types.js';
import { cutName } from '../../attribution/edges/resolution.js';
import type { Effect, Journal } from '../../attribution/edges/types.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import { refuse } from '../../errors.js';
import { takeLock } from '../../lock.js';
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
 * Opens a journal to go on with, or begins one, for as long as the work lasts; no other process may have it meanwhile. Nothing is
 * written before there is an effect to keep.
 * @throws TheveninError discovery/journal: it is of another run, or damaged; file/in-use, file/unreadable, file/unwritable
 */
export async function withJournal<T>(
  file: string,
  { model, runtime, engine, of }: Workbench & { readonly of: Of },
  work: (journal: Journal) => Promise<T>,
): Promise<T> {
  const heading: Heading = {
    format: FORMAT,
    weights: await model.weights.digest(),
    examples: createHash('sha256').update(JSON.stringify(of.examples)).digest('hex'),
    metric: of.task.metric,
    source: of.source,
    runtime: runtime.info.key,
    groups: JSON.stringify(of.groups?.names ?? []),
  };
  const what = { what: `the journal ${file}`, instead: 'name another file with --journal' };
  const lock = await writing(file, () => takeLock(`${file}.lock`, what));
  try {
    const nameOf = (effect: Effect): string => cutName(engine.universe, effect, of.groups);
    const isCut = cutsOf(engine.universe, of.groups);
    const { known, bytes } = await readJournal(file, heading, { isCut, examples: of.examples.length });
    const append = appender(file, heading, bytes);
    return await work({
      known,
      add: (effects) => append(effects.map((one) => lineOf(file, nameOf(one), one)).join('')),
    });
  } finally {
    lock.release();
  }
}

type IsCut = (name: string) => boolean;

/** Names of edges, and of edges at the groups told apart. */
function cutsOf(universe: Universe, groups: PositionGroups | undefined): IsCut {
  const names = new Set(groups?.names);
  return (name) => {
    const at = name.indexOf('@');
    const [edge, group] = at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)];
    return universe.edgeIndex(edge) !== undefined && (group === undefined || names.has(group));
  };
}

/** JSON has no NaN and no infinity: it would say null. */
function lineOf(file: string, edge: string, { values }: Effect): string {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    refuse(
      'discovery/journal',
      `the effect of ${edge} on pair ${bad} is ${values[bad]}, no number to go on with, and is not written to ${file}; check the model's weights`,
    );
  return `${JSON.stringify({ edge, effects: [...values] })}\n`;
}

/** What it knows, and how many bytes of it are whole lines: what comes behind was being written when the process died. */
async function readJournal(
  file: string,
  heading: Heading,
  of: { readonly isCut: IsCut; readonly examples: number },
): Promise<{ known: ReadonlyMap<string, Float64Array>; bytes: number }> {
  const text = await readText(file);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const known = new Map<string, Float64Array>();
  if (whole === '' && !headingText(heading).startsWith(text))
    refuse('discovery/journal', `${file} is no journal of effects; name another file with --journal`);
  const [first, ...lines] = whole.split('\n').slice(0, -1);
  if (first !== undefined) requireSame(file, parse(`${file}:1`, first), heading);
  lines.forEach((line, i) => {
    const { edge, effects } = readLine(`${file}:${i + 2}`, line, of);
    const before = known.get(edge);
    if (before?.some((value, pair) => value !== effects[pair]) === true)
      refuse('discovery/journal', `${file}:${i + 2}: ${edge} was measured before, with other effects; ${ADVICE}`);
    known.set(edge, effects);
  });
  return { known, bytes: Buffer.byteLength(whole) };
}

const ADVICE = 'mend or remove the line, or name another file with --journal';

/** @param place file and line */
function readLine(
  place: string,
  line: string,
  { isCut, examples }: { readonly isCut: IsCut; readonly examples: number },
): { edge: string; effects: Float64Array } {
  const { edge, effects } = Object(parse(place, line)) as { readonly edge?: unknown; readonly effects?: unknown };
  if (typeof edge !== 'string' || !isCut(edge) || !isNumbers(effects) || effects.length !== examples)
    return refuse(
      'discovery/journal',
      `${place}: not an edge of the model with ${examples} numbers as effects; ${ADVICE}`,
    );
  return { edge, effects: Float64Array.from(effects) };
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => Number.isFinite(one));

function parse(place: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return refuse(
      'discovery/journal',
      `${place}: not JSON, so this is no journal of effects; name another file with --journal`,
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
    if (!(await stat(file)).isFile()) return refuse('file/unreadable', `${file} is not a file; ${NEEDED}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    if (syscall === undefined) throw error;
    return refuse('file/unreadable', `${file}: ${message}; ${NEEDED}`, error);
  }
}

const NEEDED = 'a journal must be a file that can be read and written';

const headingText = (heading: Heading): string => `${JSON.stringify(heading)}\n`;

/** Appends lines behind the whole ones, on the disk when it returns; the heading before the first of them. */
function appender(file: string, heading: Heading, whole: number): (text: string) => Promise<void> {
  let begun = false;
  return (text) =>
    writing(file, async () => {
      const handle = await open(file, 'a');
      try {
        if (!begun) await handle.truncate(whole);
        await handle.appendFile(!begun && whole === 0 ? headingText(heading) + text : text);
        await handle.datasync();
        begun = true;
      } finally {
        await handle.close();
      }
    });
}

async function writing<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { message, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    return refuse(
      'file/unwritable',
      `cannot write the journal ${file}: ${message}; name another file with --journal`,
      error,
    );
  }
}
