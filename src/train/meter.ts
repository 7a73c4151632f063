/** Running a trained model to measure it: logits, attention patterns, heads switched off. */
import type { Runtime } from '../runtime/types.js';
import type { Blueprint } from './forward.js';
import { constantsFor, measuringProgram } from './programs.js';

/** A head as [layer, head]. */
export type Head = readonly [layer: number, head: number];

export interface Reading {
  /** log-probability of the next token being `id`, after position `at` of sequence `row` */
  logProbability(row: number, at: number, id: number): number;
  /** its logit */
  logit(row: number, at: number, id: number): number;
  /** how much a head's query position attends to a key position */
  attention(head: Head, row: number, where: { query: number; key: number }): number;
}

export interface Meter {
  /**
   * @param sequences of any lengths within the context
   * @param ablated heads whose output is replaced by zero
   */
  read(sequences: readonly (readonly number[])[], ablated?: readonly Head[]): Promise<Reading>;
  dispose(): Promise<void>;
}

/** Prepares a model, given by its weights by the names of `weightSpecs`. */
export async function createMeter(
  runtime: Runtime,
  blueprint: Blueprint,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<Meter> {
  const program = measuringProgram(blueprint);
  const kernel = await runtime.prepare(program, {
    ...constantsFor(program, blueprint),
    ...Object.fromEntries(weights),
  });
  const { config } = blueprint;
  return {
    async read(sequences, ablated = []) {
      const pos = Math.max(...sequences.map((sequence) => sequence.length));
      // what stands after a sequence's end is not seen by it: attention is causal
      const filled = sequences.flatMap((sequence) => [
        ...sequence,
        ...new Array<number>(pos - sequence.length).fill(0),
      ]);
      const inputs = {
        tokens: runtime.tensor(Int32Array.from(filled), [sequences.length, pos], 'int'),
        headScale: runtime.tensor(headScale(blueprint, ablated), [config.nLayers, config.nHeads]),
      };
      const outputs = await kernel.run(inputs);
      const { logits = new Float32Array(), ...patterns } = Object.fromEntries(
        await Promise.all(Object.entries(outputs).map(async ([name, tensor]) => [name, (await tensor.read()).slice()])),
      ) as Record<string, Float32Array>;
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
      return reading(blueprint, pos, { logits, patterns: Object.values(patterns) });
    },
    dispose: () => kernel.dispose(),
  };
}

function headScale({ config }: Blueprint, ablated: readonly Head[]): Float32Array {
  const scale = new Float32Array(config.nLayers * config.nHeads).fill(1);
  for (const [layer, head] of ablated) scale[layer * config.nHeads + head] = 0;
  return scale;
}

interface Values {
  /** [batch, pos, dVocab] */
  readonly logits: Float32Array;
  /** per layer [batch, head, query, key] */
  readonly patterns: readonly Float32Array[];
}

function reading({ config }: Blueprint, pos: number, { logits, patterns }: Values): Reading {
  const { nHeads, dVocabOut } = config;
  const logit = (row: number, at: number, id: number): number => logits[(row * pos + at) * dVocabOut + id] ?? NaN;
  return {
    logit,
    logProbability(row, at, id) {
      const all = logits.subarray((row * pos + at) * dVocabOut, (row * pos + at + 1) * dVocabOut);
      const top = all.reduce((a, b) => Math.max(a, b), -Infinity);
      return logit(row, at, id) - top - Math.log(all.reduce((sum, x) => sum + Math.exp(x - top), 0));
    },
    attention: ([layer, head], row, { query, key }) =>
      patterns[layer]?.[((row * nHeads + head) * pos + query) * pos + key] ?? NaN,
  };
}
