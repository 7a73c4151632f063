/** The micro model, every edge of it by hand. */
import { expect } from 'chai';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import type { Question } from '../../src/engine/questions/questions.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import type { Runtime } from '../../src/runtime/types.js';
import { expectNear, logitsOf } from '../helpers/engine.js';
import { BATCH, HAND, MICRO, SCALES } from '../helpers/models/micro.js';
import { onEveryRuntime } from '../runtime/available.js';

const EDGES = Object.keys(HAND);
const INTEGRALS: Readonly<Record<string, readonly Point[]>> = {
  EAP: [{ at: 1, weight: 1 }],
  'EAP at the corrupt prompt': [{ at: 0, weight: 1 }],
  'EAP-IG, 4 midpoints': [1, 3, 5, 7].map((k) => ({ at: k / 8, weight: 1 / 4 })),
};
const [OUT0, OUT1, DIFFERENCE] = [0, 1, 2] as const;

await onEveryRuntime(
  'the micro model',
  ({ create }) => {
    let [runtime, engine] = [null, null] as unknown as [Runtime, Engine];
    before(async () => {
      runtime = await create();
      engine = new Engine(MICRO, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
    });
    const session = <T>(work: (session: Session) => Promise<T>, direction: Direction = 'noising') =>
      withSession(engine, BATCH, { metric: 'logit-difference', direction }, work);
    const edge = (name: string): number => engine.universe.edgeIndex(name)!;
    const cut = (...names: string[]): Question => {
      const keep = new Uint8Array(engine.universe.edgeCount).fill(1);
      for (const name of names) keep[edge(name)] = 0;
      return { kind: 'circuit', keep };
    };

    it('says [25, 49] times its input', async () => {
      const found = await logitsOf(
        engine,
        SCALES.map((_, token) => [token]),
      );
      expectNear(
        found,
        SCALES.flatMap((x) => [25 * x, 49 * x]),
        1e-6,
      );
    });

    for (const direction of ['noising', 'denoising'] as const) {
      const sign = direction === 'noising' ? 1 : -1;
      const ASK: Readonly<Record<string, (name: string) => Question>> = {
        'as an edge': (name) => ({ kind: 'edge', edge: edge(name) }),
        'as a circuit': (name) => cut(name),
      };
      for (const [how, ask] of Object.entries(ASK))
        it(`each of the 13 edges cut alone, ${direction}, ${how}`, () =>
          session(async (given) => {
            const answers = await given.ask(EDGES.map(ask));
            EDGES.forEach((name, i) => {
              const [first, second, change] = HAND[name]!;
              const [out0, out1, difference] = answers[i]!;
              expectNear([out0!, out1!], [sign * first, sign * second], 1e-6, name);
              expect(difference! - given.base[DIFFERENCE]!, name).to.be.closeTo(sign * change, 1e-4);
            });
          }, direction));

      for (const [name, points] of Object.entries(INTEGRALS))
        it(`${name} is exact, since the model is linear, ${direction}`, () =>
          session(async ({ bound, prompts }) => {
            const { edgeCount } = engine.universe;
            const scores = (await edgeGradients(bound, points, prompts)).subarray(DIFFERENCE * edgeCount);
            const expected = Array<number>(edgeCount).fill(0); // queries and keys say nothing
            for (const known of EDGES) expected[edge(known)] = sign * HAND[known]![2];
            expectNear(scores, expected, 1e-6);
          }, direction));
    }

    it('the changes at the logits add up to the difference between the prompts', () =>
      session(async ({ bound, prompts, clean, corrupt }) => {
        const scores = Float64Array.from(await edgeGradients(bound, INTEGRALS['EAP']!, prompts));
        const into = engine.universe.readers.length - 1;
        for (const example of [OUT0, OUT1, DIFFERENCE]) {
          const own = scores.subarray(example * engine.universe.edgeCount, (example + 1) * engine.universe.edgeCount);
          const sum = own.reduce((total, x, i) => total + (engine.universe.edgeReader[i] === into ? x : 0), 0);
          expect(sum).to.be.closeTo(corrupt[example]! - clean[example]!, 1e-4);
        }
        expect(corrupt[DIFFERENCE]! - clean[DIFFERENCE]!).to.be.closeTo(-48, 1e-4);
      }));

    it('clean values on the strongest 0, 1, 2, 3 edges of a corrupt run', () =>
      session(async ({ ask }) => {
        const strongest = ['a0.h1->logits', 'a0.h0->a1.h1<v>', 'input->a0.h0<v>'];
        const answers = await ask([0, 1, 2, 3].map((k) => cut(...strongest.slice(0, k))));
        const outputs = answers.flatMap((answer) => [answer[OUT0]!, answer[OUT1]!]);
        expectNear(outputs, [-25, -49, -19, -41, -13, -25, -9, -13], 1e-6);
      }, 'denoising'));

    it('an edge cut by a part of its weight, a site replaced by a part: the part of the whole effect', () =>
      session(async ({ ask, base }) => {
        const name = 'a0.h1->a1.h1<v>';
        const keep = Float32Array.from(engine.universe.edgeSender, () => 1);
        keep[edge(name)] = 0.75;
        const answers = await ask([
          { kind: 'edge', edge: edge(name), weight: 0.25 },
          { kind: 'circuit', keep },
          { kind: 'sites', sites: [{ kind: 'resid-pre', layer: 0, amount: 0.25 }] },
          { kind: 'sites', sites: [{ kind: 'z', layer: 1, heads: [1], amount: 0.25 }] },
        ]);
        const changes = answers.map((answer) => answer[DIFFERENCE]! - base[DIFFERENCE]!);
        expectNear(changes, [-14 / 4, -14 / 4, -48 / 4, -26 / 4], 1e-6);
      }));
  },
  (key) => key !== 'tfjs-webgpu',
);
