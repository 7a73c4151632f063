import { readFileSync, statSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { folderTokenizer } from '../../src/model/tokenizer.js';
import type { Tokenizer } from '../../src/model/types.js';
import { createOnnxRuntime } from '../../src/runtime/onnx/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../src/task/generators/ioi-words.js';
import { inductionFigures, type InductionFigures } from '../../src/train/recipes/induction.js';
import { ioiFigures, type IoiFigures } from '../../src/train/recipes/ioi.js';
import { meterOf } from './loaded.js';

const MODELS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'models');
const folder = (name: string): string => path.join(MODELS, name);
const published = (name: string): { figures: unknown; curve: [number, number][] } =>
  JSON.parse(readFileSync(path.join(folder(name), 'training.json'), 'utf8'));

describe('the bundled models', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await createOnnxRuntime({ threads: 2 });
  });
  after(() => runtime.dispose());

  it('are under 10 MB together', () => {
    const files = readdirSync(MODELS, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
    expect(bytes).to.be.within(1e6, 10e6);
  });

  describe('induction', () => {
    let figures: InductionFigures;
    before(async () => {
      const meter = await meterOf(runtime, folder('induction'));
      figures = await inductionFigures(meter);
      await meter.dispose();
    });

    it('knows the second half of repeated random sequences, and nothing of the first', () => {
      for (const { period, firstHalf, secondHalf } of figures.periods) {
        // after few tokens, one seen again may as well be there by chance
        expect(secondHalf, `period ${period}`).to.be.below(period < 24 ? 0.2 : 0.1);
        expect(firstHalf, `period ${period}`).to.be.closeTo(figures.uniform, 0.2);
      }
    });

    it('needs heads of the first layer that attend to the previous token', () => {
      for (const { previousTokenHeads, heads } of figures.periods) {
        expect(previousTokenHeads.heads).not.to.deep.equal([]);
        expect(previousTokenHeads.secondHalfWithout).to.be.above(3);
        expect(Math.max(...heads.map(({ toPreviousToken }) => toPreviousToken))).to.be.above(0.5);
      }
    });

    it('needs heads of the second layer that attend to what followed the same token', () => {
      for (const { inductionHeads, heads } of figures.periods) {
        expect(inductionHeads.heads).not.to.deep.equal([]);
        expect(inductionHeads.secondHalfWithout).to.be.above(3);
        expect(Math.max(...heads.map(({ toTokenAfterMatch }) => toTokenAfterMatch))).to.be.above(0.8);
      }
    });

    it('is what its training.json says', () => expectAlike(figures, published('induction').figures));
  });

  describe('ioi', () => {
    let figures: IoiFigures;
    let tokenizer: Tokenizer;
    before(async () => {
      tokenizer = (await folderTokenizer(folder('ioi'), readdirSync(folder('ioi')))) as Tokenizer;
      const meter = await meterOf(runtime, folder('ioi'));
      figures = await ioiFigures(meter);
      await meter.dispose();
    });

    it('names the indirect object on templates and name pairs that it was not trained on', () => {
      for (const { accuracy, logitDifference, pairs } of [
        figures.heldOutTemplatesAndNames,
        figures.heldOutTemplates,
        figures.heldOutNames,
      ]) {
        expect(pairs).to.be.above(100);
        expect(accuracy).to.be.at.least(0.99);
        expect(logitDifference).to.be.at.least(3);
      }
    });

    it('changes its answer when the second subject is exchanged', () => {
      expect(figures.heldOutTemplatesAndNames.corruptLogitDifference).to.be.below(-3);
    });

    it('favours neither answer when three names occur once each', () => {
      expect(Math.abs(figures.heldOutWithThreeNames.corruptLogitDifference)).to.be.below(0.5);
    });

    it('has one token for each name, place and object, the same at the start and after a space', () => {
      for (const word of [...IOI_NAMES, ...IOI_PLACES, ...IOI_OBJECTS]) {
        expect(tokenizer.encode(` ${word}`), word).to.have.length(1);
        expect(tokenizer.encode(word), word).to.deep.equal(tokenizer.encode(` ${word}`));
      }
    });

    it('reads and writes all 15 templates in both orders', () => {
      for (const template of IOI_TEMPLATES)
        for (const [a, b] of [
          ['Mary', 'John'],
          ['John', 'Mary'],
        ] as const) {
          const names: Readonly<Record<string, string>> = {
            '[A]': a,
            '[B]': b,
            '[PLACE]': 'store',
            '[OBJECT]': 'ring',
          };
          const text = template.replace(/\[\w+\]/g, (slot) => names[slot] ?? '');
          expect(tokenizer.decode(tokenizer.encode(text))).to.equal(text);
        }
    });

    it('is what its training.json says', () => expectAlike(figures, published('ioi').figures));
  });

  /** Equal, numbers up to what float32 arithmetic of another processor may do. */
  const expectAlike = (actual: unknown, expected: unknown): void => {
    if (typeof expected === 'number') expect(actual).to.be.closeTo(expected, 1e-3);
    else if (typeof expected === 'object' && expected !== null) {
      expect(Object.keys(actual as object)).to.deep.equal(Object.keys(expected));
      for (const [key, value] of Object.entries(expected)) expectAlike((actual as Record<string, unknown>)[key], value);
    } else expect(actual).to.equal(expected);
  };
});
