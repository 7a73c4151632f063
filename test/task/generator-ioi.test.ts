import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { folderTokenizer } from '../../src/model/tokenizer.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../src/task/generators/ioi-words.js';
import type { TaskPair } from '../../src/task/schema.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';
import { generate, large, words } from './generate.js';
import { textTokenizer } from './tokenizers.js';

describe('ioi', () => {
  const names = IOI_NAMES.slice(0, 20);
  const roles = ({ clean, corrupt, spans = {} }: TaskPair) => {
    const at = (prompt: TaskPair['clean'], span: string): string => {
      const [first, afterLast] = spans[span] as [number, number];
      return large.decode(large.encode(prompt as string).slice(first, afterLast)).trim();
    };
    const of = (prompt: TaskPair['clean']) => ({ IO: at(prompt, 'IO'), S1: at(prompt, 'S1'), S2: at(prompt, 'S2') });
    return { clean: of(clean), corrupt: of(corrupt) };
  };

  it('has 15 templates, 99 names, 8 places and 8 objects', () => {
    expect([IOI_TEMPLATES, IOI_NAMES, IOI_PLACES, IOI_OBJECTS].map((list) => new Set(list).size)).to.deep.equal([
      15, 99, 8, 8,
    ]);
  });

  it('uses all templates in both orders alike', () => {
    const counts = new Map<string, number>();
    for (const { group = '' } of generate('ioi', { count: 60 }).pairs) counts.set(group, (counts.get(group) ?? 0) + 1);
    expect(counts.size).to.equal(30);
    expect(new Set(counts.values())).to.deep.equal(new Set([2]));
  });

  it('asks for the indirect object, against the subject, which comes twice', () => {
    for (const pair of generate('ioi').pairs) {
      const { IO, S1, S2 } = roles(pair).clean;
      expect(S1).to.equal(S2).and.not.equal(IO);
      expect([pair.correct, pair.incorrect]).to.deep.equal([` ${IO}`, ` ${S1}`]);
      expect(words(pair.clean).filter((word) => word === IO)).to.have.length(1);
    }
  });

  it('puts the subject first in BABA and the indirect object first in ABBA', () => {
    for (const { group, spans } of generate('ioi').pairs) {
      const [io, s1] = [spans?.['IO'] as [number, number], spans?.['S1'] as [number, number]];
      expect(io[0] < s1[0]).to.equal(group?.startsWith('ABBA'));
      expect(spans?.['S1+1']).to.deep.equal([s1[1], s1[1] + 1]);
    }
  });

  it('s2-swap makes the indirect object act: the prompts differ at S2 alone, and the answer is exchanged', () => {
    for (const pair of generate('ioi', { options: { corruption: 's2-swap' } }).pairs) {
      const { clean, corrupt } = roles(pair);
      expect(corrupt).to.deep.equal({ ...clean, S2: clean.IO });
    }
  });

  it('abc puts three fresh names in their places, so that none is repeated', () => {
    for (const pair of generate('ioi', { options: { corruption: 'abc' } }).pairs) {
      const { clean, corrupt } = roles(pair);
      expect(new Set([clean.IO, clean.S1, corrupt.IO, corrupt.S1, corrupt.S2]).size).to.equal(5);
    }
  });

  it('can be held to some templates, one order, some names', () => {
    const file = generate('ioi', { options: { templates: [4, 12], order: 'ABBA', names: [...names] } });
    expect(new Set(file.pairs.map(({ group }) => group))).to.deep.equal(new Set(['ABBA 4', 'ABBA 12']));
    for (const { correct, incorrect } of file.pairs)
      for (const one of [correct, incorrect]) expect(names).to.include((one as string).trim());
  });

  it('keeps the names that are one token for the model, and records what it dropped', () => {
    const some = textTokenizer({
      words: [...IOI_TEMPLATES, ...IOI_PLACES, ...IOI_OBJECTS.slice(1), ...names].flatMap(
        (text) => text.match(/[A-Za-z]+/g) ?? [],
      ),
    });
    const { pairs, provenance } = generate('ioi', { tokenizer: some });
    for (const { correct } of pairs) expect(names).to.include((correct as string).trim());
    expect((provenance as { dropped: unknown }).dropped).to.deep.equal([
      { reason: 'names that are not one token for this model', count: 79, items: IOI_NAMES.slice(20) },
      { reason: 'objects that are not one token for this model', count: 1, items: ['ring'] },
    ]);
  });

  it('leaves out templates that a vocabulary of whole words cannot write', () => {
    const vocabulary = [...IOI_TEMPLATES.slice(0, 2), ...IOI_PLACES, ...IOI_OBJECTS, ...names].flatMap(
      (text) => text.match(/[A-Za-z]+|[.,]/g) ?? [],
    );
    const known = new Set(vocabulary);
    const base = textTokenizer({ words: [...known] });
    // an unknown word is written, but not read back
    const unknown = base.encode('#')[0] as number;
    const encode = (text: string): number[] =>
      (text.match(/ ?[A-Za-z]+|[^]/g) ?? []).flatMap((word) =>
        known.has(word.trim()) || word === ' ' ? base.encode(word) : [unknown],
      );
    const { pairs, provenance } = generate('ioi', { tokenizer: { ...base, encode } });
    expect(new Set(pairs.map(({ group }) => group))).to.deep.equal(new Set(['ABBA 0', 'BABA 0', 'ABBA 1', 'BABA 1']));
    expect((provenance as { dropped: { count: number }[] }).dropped.map(({ count }) => count)).to.deep.equal([79, 26]);
  });

  it('finds 81 of the 99 names to be one token for SmolLM2', async function () {
    const file = skipWithout(
      this,
      sharedPath('models', 'smollm2-135m', 'tokenizer.json'),
      'the tokenizer of SmolLM2 is not there',
    );
    const folder = dirname(file);
    const tokenizer = await folderTokenizer(folder, readdirSync(folder));
    const { provenance, pairs } = generate('ioi', {
      tokenizer,
      count: 96,
      config: { name: 'SmolLM2', dVocab: 49152, nCtx: 8192 },
    });
    const [dropped] = (provenance as { dropped: { reason: string; count: number; items: string[] }[] }).dropped;
    expect(dropped?.reason).to.match(/^names/);
    expect(IOI_NAMES.length - (dropped?.count ?? 0)).to.equal(81);
    expect(dropped?.items).to.include.members(['Brandon', 'Kimberly', 'Cody']);
    expect(pairs).to.have.length(96);
  });
});
