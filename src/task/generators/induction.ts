/**
 * Induction on random tokens: … A B … C D … A → B, because B followed A before. Elhage et al. 2021, "A Mathematical
 * Framework for Transformer Circuits"; Olsson et al. 2022, arXiv 2209.11895.
 *
 * Each prompt is a sequence of `period` different tokens followed by its own beginning; every prompt has the same length,
 * but the period varies, so that position alone gives nothing away.
 *
 * `predecessor` (the default) exchanges, in the first run through the sequence only, the last prompt token A with another
 * token C: clean has "A B … C D", corrupt has "C B … A D", both end in A. The answer turns from B to D although the same
 * tokens are there and the last one is the same: only what precedes B and D has changed, which is what a previous-token
 * head reads and an induction head's keys look up. `successor` replaces B itself by a fresh token, so that attention may
 * stay where it is and only what is copied changes.
 */
import { Type } from '@sinclair/typebox';
import { refuse, TheveninError } from '../../errors.js';
import type { TaskPair } from '../schema.js';
import type { Tokenizer } from '../../model/types.js';
import type { Random } from '../random.js';
import { attempt, encodeOrNull } from '../words.js';
import { collectPairs, defineGenerator } from './generator.js';

interface Sequence {
  /** the first run through: `period` different tokens */
  readonly tokens: readonly number[];
  /** where, in it, the last prompt token stands */
  readonly query: number;
  /** another place, which does not recur: at least two after `query`, and not the last */
  readonly other: number;
  readonly fresh: number;
}

interface Corrupted {
  readonly tokens: readonly number[];
  readonly incorrect: number;
}

const CORRUPTIONS: Readonly<Record<string, (sequence: Sequence) => Corrupted>> = {
  predecessor: ({ tokens, query, other }) => ({
    tokens: tokens.with(query, tokens[other] as number).with(other, tokens[query] as number),
    incorrect: tokens[other + 1] as number,
  }),
  successor: ({ tokens, query, fresh }) => ({ tokens: tokens.with(query + 1, fresh), incorrect: fresh }),
};

/** Shorter than this, there is no room for a second place. */
const SHORTEST = 8;
const LENGTH = 32;

const Options = Type.Object({
  corruption: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: Object.keys(CORRUPTIONS) })),
  length: Type.Optional(Type.Integer({ minimum: SHORTEST, description: 'tokens per prompt, BOS not counted' })),
  vocabulary: Type.Optional(
    Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 1 })], {
      description: '[first, afterLast) ids to draw from',
    }),
  ),
});

export const induction = defineGenerator({
  key: 'induction',
  title: 'Induction on random tokens: a sequence begins again, and goes on as before',
  reference: 'Olsson et al. 2022, arXiv 2209.11895',
  metric: 'logit-difference',
  options: Options,
  make: ({ tokenizer, config, count }, options, random) => {
    const corrupt = CORRUPTIONS[options.corruption ?? 'predecessor'] as (sequence: Sequence) => Corrupted;
    const [first, afterLast] = options.vocabulary ?? [0, config.dVocab];
    // one position is left for a BOS
    const length = options.length ?? Math.min(LENGTH, config.nCtx - 1);
    if (length > config.nCtx || length < SHORTEST) {
      refuse(
        'task/generator',
        `generator induction: prompts of ${length} tokens do not do for ${config.name}, whose context holds ${config.nCtx}: set option length to ${SHORTEST} or more, within the context`,
      );
    }
    if (afterLast > config.dVocab || afterLast - first < length) {
      refuse(
        'task/generator',
        `generator induction: vocabulary [${first}, ${afterLast}) must lie within ${config.name}'s 0 … ${config.dVocab - 1} and hold at least ${length} ids`,
      );
    }
    const draw = (): TaskPair => {
      const sequence = drawSequence(length, random, () => plainToken([first, afterLast], tokenizer, random));
      return pairOf(sequence, corrupt(sequence));
    };
    return { pairs: collectPairs('induction', count, draw), dropped: [], bos: tokenizer?.prependsBos ?? false };
  },
});

/** An id that stands for itself: not a special token, not part of a character. */
const plainToken = (
  [first, afterLast]: readonly [number, number],
  tokenizer: Tokenizer | null,
  random: Random,
): number => {
  for (let tries = 0; tries < 1000; tries++) {
    const id = random.between(first, afterLast - 1);
    if (tokenizer === null || isPlain(id, tokenizer)) return id;
  }
  return refuse(
    'task/generator',
    `generator induction: no plain tokens among the ids [${first}, ${afterLast}): set option vocabulary`,
  );
};

const isPlain = (id: number, tokenizer: Tokenizer): boolean => {
  const text = attempt(() => tokenizer.decode([id]));
  if (id === tokenizer.bosId || text instanceof TheveninError || text === '') return false;
  return encodeOrNull(text, tokenizer)?.join(' ') === String(id);
};

/** `period` varies within (length/2, 3·length/4], so that at least four tokens of the first run do not recur. */
const drawSequence = (length: number, random: Random, token: () => number): Sequence => {
  const period = random.between(Math.ceil((length + 3) / 2), Math.floor((3 * length) / 4));
  const different = new Set<number>();
  while (different.size < period + 1) different.add(token());
  const [fresh = 0, ...tokens] = different;
  const query = length - period - 1;
  return { tokens, query, other: random.between(query + 2, period - 2), fresh };
};

const pairOf = ({ tokens, query, other }: Sequence, corrupted: Corrupted): TaskPair => {
  const again = tokens.slice(0, query + 1);
  const at = (position: number): [number, number] => [position, position + 1];
  return {
    clean: [...tokens, ...again],
    corrupt: [...corrupted.tokens, ...again],
    correct: tokens[query + 1] as number,
    incorrect: corrupted.incorrect,
    spans: {
      first: at(query),
      successor: at(query + 1),
      other: at(other),
      other_successor: at(other + 1),
      end: at(tokens.length + query),
    },
    group: `period ${tokens.length}`,
  };
};
