/** The pairs that a run asked about: prompts, answers, and what came of each. */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { number, whole, type Cell, type Table } from '../format.js';
import { count, nullable, object, sha256, text, type DeepReadonly } from './fragments.js';

const pair = object({
  index: count('of the pair in the task file, of the fact in its file'),
  split: nullable(text('discover | choose | report; null where every pair was used for everything')),
  clean: text('as text, without BOS, or as token ids where there is no tokenizer'),
  corrupt: nullable(text('null where a run has no such prompt')),
  correct: Type.Array(text('an answer')),
  incorrect: Type.Array(Type.String()),
  results: Type.Record(Type.String(), Type.Number(), {
    description: 'metric of this pair: clean, corrupt, circuit …; what was not measured of it is absent',
  }),
});

/** Absent from records of versions that did not keep pairs. */
export const pairs = Type.Optional(
  object(
    {
      shown: Type.Array(pair, { description: 'all of them, or the first of every split' }),
      all: nullable(
        object(
          {
            file: text('JSON file beside the record, a list of all pairs'),
            sha256: sha256('the file'),
            count: count('pairs'),
          },
          'null where all are shown',
        ),
      ),
    },
    'what the run was asked about, and what came of each',
  ),
);

export type PairRecord = DeepReadonly<Static<typeof pair>>;
export type PairsRecord = { readonly shown: readonly PairRecord[]; readonly all: ListRecord | null };
/** A file of pairs beside the record. */
export interface ListRecord {
  readonly file: string;
  readonly sha256: string;
  readonly count: number;
}

/** A line for each pair that the record shows. */
export function pairsTable({ shown, all }: PairsRecord): Table {
  const has = (of: (one: PairRecord) => unknown): boolean => shown.some((one) => of(one) !== null);
  const results = [...new Set(shown.flatMap((one) => Object.keys(one.results)))];
  const columns: readonly (readonly [string, boolean, (one: PairRecord) => Cell])[] = [
    ['pair', true, ({ index }) => `${index}`],
    ['split', has(({ split }) => split), ({ split }) => split ?? '–'],
    ['clean', true, ({ clean }) => ({ code: clean })],
    ['corrupt', has(({ corrupt }) => corrupt), ({ corrupt }) => (corrupt === null ? '–' : { code: corrupt })],
    ['correct', true, ({ correct }) => answersCell(correct)],
    ['incorrect', shown.some(({ incorrect }) => incorrect.length > 0), ({ incorrect }) => answersCell(incorrect)],
    ...results.map((name) => [`metric, ${name}`, true, ({ results: of }: PairRecord) => figure(of[name])] as const),
  ];
  const kept = columns.filter(([, wanted]) => wanted);
  return {
    title: 'Pairs',
    columns: kept.map(([name]) => name),
    rows: shown.map((one) => kept.map(([, , cellOf]) => cellOf(one))),
    ...(all === null ? {} : { note: `${whole(shown.length)} of ${whole(all.count)}; all are in ${all.file}.` }),
  };
}

const answersCell = (answers: readonly string[]): Cell => (answers.length === 0 ? '–' : { code: answers.join(' | ') });

const figure = (value: number | undefined): Cell => (value === undefined ? '–' : number(value));
