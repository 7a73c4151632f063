import { pairRule } from '../rule.js';

export const bos = pairRule(
  'bos',
  'BOS begins both prompts or neither, and once',
  ({ clean, corrupt }, { context }) => {
    const id = context.tokenizer?.bosId ?? null;
    if (id === null) return [];
    const name = `BOS (id ${id}, ${JSON.stringify(context.tokenizer?.tokenText(id))})`;
    const [inClean, inCorrupt] = [clean.tokens[0] === id, corrupt.tokens[0] === id];
    if (inClean !== inCorrupt) {
      const [has, lacks] = inClean ? ['clean', 'corrupt'] : ['corrupt', 'clean'];
      return [
        { position: 0, what: `${has} begins with ${name} but ${lacks} does not: write both as text or both as ids` },
      ];
    }
    return Object.entries({ clean, corrupt })
      .filter(([, { tokens }]) => tokens[0] === id && tokens[1] === id)
      .map(([side]) => ({
        position: 1,
        what: `${side} begins with ${name} twice: take it out of the prompt or set bos to false`,
      }));
  },
);
