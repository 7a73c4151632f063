/** What the rules on BOS, spans, positions and vocabulary pass and find. */
import { digest, ids, tokenizer, type Failing, type RuleCases } from './setup.js';
import { configFor } from '../tokenizers.js';

export const POSITION_CASES: Readonly<Record<string, RuleCases>> = {
  bos: {
    passes: [
      { what: 'no BOS' },
      { what: 'BOS in both prompts', pair: { ...ids, clean: [0, 5, 6], corrupt: [0, 5, 7] } },
      { what: 'BOS prepended to both', context: { bos: true } },
    ],
    fails: [
      {
        what: 'BOS on one side',
        pair: { ...ids, clean: [0, 5, 6], corrupt: [4, 5, 6] },
        finding: { pair: 1, position: 0 },
        message: /clean begins with BOS \(id 0, "<bos>"\) but corrupt does not/,
      },
      {
        what: 'BOS prepended to the text of one side, while the other is ids',
        pair: { clean: 'When Mary', corrupt: [5, 6], spans: undefined },
        context: { tokenizer: { ...tokenizer, prependsBos: true } },
        finding: { pair: 1, position: 0 },
        message: /clean begins with BOS .* but corrupt does not: write both as text or both as ids/,
      },
      {
        what: 'BOS twice',
        pair: { ...ids, clean: [0, 0, 6], corrupt: [0, 0, 7] },
        finding: { pair: 1, position: 1 },
        message: /clean begins with BOS .* twice/,
      },
      {
        what: 'a BOS that the model does not have',
        file: { bos: true },
        context: { tokenizer: { ...tokenizer, bosId: null } },
        finding: { pair: null },
        message: /bos is true but tiny has no BOS token/,
      },
    ],
  },
  spans: {
    passes: [
      { what: 'spans within the prompt', pair: { spans: { end: [10, 11], all: [0, 11] } } },
      {
        what: 'a span whose text is there',
        pair: { spans: { S2: { text: ' John', at: [8, 9] }, place: 'the store' } },
      },
    ],
    fails: [
      {
        what: 'a span that is off by one from its text',
        pair: { spans: { S2: { text: 'John', at: [9, 10] } } },
        finding: { pair: 1, position: 9 },
        message: /^T\.json, pair 1, position 9: span "S2" \[9, 10\) is off by one: "John" stands at \[8, 9\)/,
      },
      {
        what: 'a span beyond the end by one, as when BOS was counted',
        pair: { spans: { end: [11, 12] } },
        finding: { pair: 1, position: 11 },
        message:
          /span "end" \[11, 12\) reaches beyond the prompt, which has 11 tokens \(off by one\? a BOS that is prepended is not counted\)/,
      },
      {
        what: 'a span whose text is elsewhere',
        pair: { spans: { S2: { text: 'John', at: [5, 6] } } },
        finding: { pair: 1, position: 5 },
        message: /does not hold "John": it stands at \[3, 4\), \[8, 9\)/,
      },
      {
        what: 'a span whose text is nowhere',
        pair: { spans: { S2: 'Anna' } },
        finding: { pair: 1 },
        message: /names "Anna", which does not occur/,
      },
      {
        what: 'a text that occurs twice',
        pair: { spans: { S2: 'John' } },
        finding: { pair: 1 },
        message: /occurs 2 times: say which with "occurrence"/,
      },
      {
        what: 'an occurrence that is not there',
        pair: { spans: { S2: { text: 'John', occurrence: 3 } } },
        finding: { pair: 1 },
        message: /asks for occurrence 3 of "John", which occurs 2 times/,
      },
      {
        what: 'half a token',
        pair: { spans: { S2: 'tore' } },
        finding: { pair: 1 },
        message: /does not begin and end where tokens do/,
      },
      { what: 'an empty span', pair: { spans: { S2: [4, 4] } }, finding: { pair: 1 }, message: /\[4, 4\) is empty/ },
      {
        what: 'a text span of a prompt given as ids',
        pair: { ...ids, spans: { S2: 'John' } },
        finding: { pair: 1 },
        message: /the prompt is token ids: give \[first, afterLast\]/,
      },
    ],
  },
  'span-names': {
    passes: [
      {
        what: "names in their places, and names of one's own anywhere",
        pair: { spans: { IO: [1, 2], S1: [3, 4], S2: [8, 9], 'S1+1': [4, 5], end: [10, 11], verb: [9, 10] } },
      },
    ],
    fails: [
      ...[
        { name: 'IO', span: [0, 1], stands: '[1, 2)', who: 'the correct answer' },
        { name: 'S2', span: [9, 10], stands: '[8, 9)', who: 'the incorrect answer' },
        { name: 'end', span: [9, 10], stands: '[10, 11)', who: 'the last token' },
      ].map(({ name, span, stands, who }): Failing => ({
        what: `"${name}" beside its place`,
        pair: { spans: { [name]: span } },
        finding: { pair: 1, position: span[0] as number },
        message: new RegExp(`span "${name}" is off by one: ${who} stands at ${stands.replace(/[[)]/g, '\\$&')}`),
      })),
    ],
  },
  vocabulary: {
    passes: [{ what: 'ids of the vocabulary', pair: { ...ids, incorrect: tokenizer.vocabSize - 1 } }],
    fails: [
      {
        what: 'a prompt of another vocabulary',
        pair: { ...ids, corrupt: [5, 50000, 7] },
        finding: { pair: 1, position: 1 },
        message:
          /corrupt has the token id 50000, outside the vocabulary \(0 … \d+\): is the task made for another tokenizer\?/,
      },
      {
        what: 'an answer outside the output vocabulary',
        pair: { ...ids, incorrect: tokenizer.vocabSize },
        finding: { pair: 1, position: 2 },
        message: /incorrect answer's id \d+ is outside tiny's output vocabulary/,
      },
    ],
  },
  'prompt-length': {
    passes: [{ what: 'prompts as long as the context', context: { config: configFor(tokenizer, { nCtx: 11 }) } }],
    fails: [
      {
        what: 'a prompt longer than the context',
        context: { config: configFor(tokenizer, { nCtx: 10 }) },
        finding: { pair: 1, position: 10 },
        message: /clean has 11 tokens but tiny's context holds 10: shorten the prompt/,
      },
      {
        what: 'a prompt that BOS makes too long',
        context: { bos: true, config: configFor(tokenizer, { nCtx: 11 }) },
        finding: { pair: 1 },
        message: /clean has 12 tokens/,
      },
      {
        what: 'an empty prompt',
        pair: { clean: '', corrupt: [], spans: {} },
        finding: { pair: 1 },
        message: /clean is empty/,
      },
    ],
  },
  'answers-present': {
    passes: [
      { what: 'the answers that the metric needs' },
      { what: 'answers that the metric does not use', file: { metric: 'kl-divergence' } },
    ],
    fails: [
      {
        what: 'a distractor that is missing',
        pair: { incorrect: undefined },
        finding: { pair: 1, position: 10 },
        message: /the metric logit-difference needs "incorrect"/,
      },
      {
        what: 'a target that is missing',
        file: { metric: 'squared-error' },
        finding: { pair: 1 },
        message: /needs "target"/,
      },
      { what: 'an empty list', pair: { correct: [] }, finding: { pair: 1 }, message: /"correct" is an empty list/ },
      { what: 'empty text', pair: { correct: '' }, finding: { pair: 1 }, message: /a correct answer is empty text/ },
      {
        what: 'answers in two places',
        pair: { answers: [{ at: 2, correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: /both "answers" and answers beside them/,
      },
    ],
  },
  'answer-position': {
    passes: [
      {
        what: 'positions of the prompt',
        pair: {
          correct: undefined,
          incorrect: undefined,
          answers: [0, 10, -11, 'IO'].map((at) => ({ at, correct: 9, incorrect: 10 })),
        },
      },
    ],
    fails: [
      ...[11, -12].map((at): Failing => ({
        what: `position ${at} of 11 tokens`,
        pair: { correct: undefined, incorrect: undefined, answers: [{ at, correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: new RegExp(`an answer is asked for at ${at}, outside the prompt, which has 11 tokens`),
      })),
      {
        what: 'a span that is not there',
        pair: { correct: undefined, incorrect: undefined, answers: [{ at: 'S2', correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: /at "S2", but the pair has no span of that name/,
      },
    ],
  },
  'lost-text': {
    passes: [{ what: 'words that the tokenizer can write' }],
    fails: [
      {
        what: 'words that the tokenizer drops',
        context: {
          tokenizer: { ...tokenizer, decode: (tokens) => tokenizer.decode(tokens).replace('store', '<unk>') },
        },
        finding: { pair: 1, severity: 'warning' },
        message:
          /clean has words that tiny's tokenizer cannot write; the model reads "When Mary and John went to the <unk> John/,
      },
    ],
  },
  'tokenizer-digest': {
    passes: [
      { what: 'ids of this tokenizer', file: { model: { tokenizer: tokenizer.digest } } },
      { what: 'no digest' },
    ],
    fails: [
      {
        what: 'ids of another tokenizer',
        file: { model: { name: 'gpt2', tokenizer: digest } },
        finding: { pair: null, severity: 'error' },
        message: /token ids were made with another tokenizer \(bbbbbbbbbbbb…, gpt2\) than tiny's \(aaaaaaaaaaaa…\)/,
      },
    ],
  },
};
