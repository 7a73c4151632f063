/** Masked models run on batches: the metric and its gradient at the masks. */
import type { Engine } from '../../engine/engine.js';
import { withSession, type AskOptions, type Session } from '../../engine/run.js';
import type { PlannedBatch } from '../../engine/batches.js';
import { makeSpan } from '../../engine/span.js';
import { mlpInputOf } from '../../engine/setting.js';
import { parameterValue } from '../../model/parameters.js';
import { refuse } from '../../errors.js';
import type { Program } from '../../program/index.js';
import type { Constant, Kernel, Tensor, Tensors } from '../../runtime/types.js';
import { maskedModel, type MaskedModel } from './program.js';

export interface MaskedRun {
  /** the metric of each example */
  readonly value: Float64Array;
  /** of its mean over the examples, [edges]; the caller owns it */
  readonly gradient: Tensor;
}

/** The model under masks on one batch. */
export interface MaskedBatch {
  /** the metric of each example with every edge, and of its corrupt prompt */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  /** masks [edges] */
  run(mask: Tensor): Promise<MaskedRun>;
}

/** Prepares the programs, opens a session on every batch, and gives everything back. Cost: two forward passes. */
export async function withMaskedModel<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  asked: AskOptions,
  work: (batches: readonly MaskedBatch[]) => Promise<T>,
): Promise<T> {
  checkMemory(engine, batches);
  const masked = maskedModel(engine.arithmetic, engine.universe);
  const forward = await prepare(engine, masked, masked.forward);
  const backward = await prepare(engine, masked, masked.backward);
  try {
    return await nested(engine, batches, { asked, kernels: { forward, backward }, work, open: [] });
  } finally {
    await forward.dispose();
    await backward.dispose();
  }
}

interface Kernels {
  readonly forward: Kernel;
  readonly backward: Kernel;
}

async function nested<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  rest: {
    asked: AskOptions;
    kernels: Kernels;
    work: (batches: readonly MaskedBatch[]) => Promise<T>;
    open: readonly MaskedBatch[];
  },
): Promise<T> {
  const [batch, ...others] = batches;
  if (!batch) return rest.work(rest.open);
  return withSession(engine, batch, rest.asked, async (session) => {
    const { run, dispose } = maskedBatch(session, rest.kernels);
    try {
      return await nested(engine, others, {
        ...rest,
        open: [...rest.open, { clean: session.clean, corrupt: session.corrupt, run }],
      });
    } finally {
      dispose();
    }
  });
}

function maskedBatch(
  { setting }: Session,
  { forward, backward }: Kernels,
): { run: MaskedBatch['run']; dispose: () => void } {
  const { engine, batch, judge } = setting;
  const span = makeSpan(engine, 0, batch.length);
  const fixed = { ...alternatives(setting), ...span.mask, ...span.rotary };
  const run = async (mask: Tensor): Promise<MaskedRun> => {
    const { final } = await forward.run(readBy(forward, { ...fixed, 'edge.mask': mask }));
    const weights = [1 / batch.examples.length];
    const { value, gradient: arriving } = await judge.gradient(final as Tensor, span, { weights });
    const { gradient } = await backward.run(readBy(backward, { ...fixed, 'edge.mask': mask, gradient: arriving }));
    for (const tensor of [final as Tensor, arriving]) tensor.dispose();
    engine.counters.layerTokens += 4 * batch.examples.length * batch.length; // backward counts as two, and recomputes
    return { value, gradient: gradient as Tensor };
  };
  return { run, dispose: () => span.dispose() };
}

/** What the alternatives are called in the programs. */
function alternatives({ engine, base, alternative }: Session['setting']): Tensors {
  const { pre, z, m, final } = alternative;
  const byLayer = (name: string, tensors: readonly Tensor[]): [string, Tensor][] =>
    tensors.map((tensor, layer) => [`${name}.${layer}`, tensor]);
  const mid = m.map((_, layer) => mlpInputOf(engine, alternative, layer));
  const middle = engine.universe.shape.parallelBlocks ? [] : byLayer('mid', mid);
  return {
    ...Object.fromEntries([...byLayer('pre', pre), ...middle, ...byLayer('z', z), ...byLayer('m', m)]),
    input: base.pre[0] as Tensor,
    final,
  };
}

function readBy({ program }: Kernel, tensors: Tensors): Tensors {
  return Object.fromEntries(
    program.inputs.map(({ attributes: { name } }): [string, Tensor] => [name, tensors[name] as Tensor]),
  );
}

async function prepare(engine: Engine, { tables }: MaskedModel, program: Program): Promise<Kernel> {
  const constants: Record<string, Constant> = {};
  for (const { attributes } of program.parameters) {
    const { name } = attributes;
    const [layer, own] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
    constants[name] = tables.get(name)?.edges ?? engine.precise(await parameterValue(own, engine.model, Number(layer)));
  }
  return engine.runtime.prepare(program, constants);
}

/**
 * What training holds at most, in bytes: the weights of both programs, every batch's cached runs, and of the widest batch what the
 * way back reads again: of each reader its input before and after its norm, q, k and v, patterns, the MLP's widths.
 */
export function maskBytes(
  engine: Engine,
  batches: readonly { length: number; examples: { length: number } }[],
): number {
  const { dModel, dHead, nHeads, nLayers, dMlp, gatedMlp } = engine.model.config;
  const tokens = batches.map(({ length, examples }) => length * examples.length);
  const cached = 2 * nLayers * (3 * dModel + 4 * nHeads * dHead);
  const senders = engine.universe.senders.length;
  const perLayer = (length: number): number =>
    3 * nHeads * (6 * dModel + 4 * dHead) + 4 * nHeads * length + (gatedMlp ? 9 : 6) * dMlp + 2 * senders * dModel;
  const widest = Math.max(0, ...batches.map(({ length }, i) => (tokens[i] as number) * nLayers * perLayer(length)));
  const layer = (4 * nHeads * dHead + (gatedMlp ? 3 : 2) * dMlp) * dModel;
  return 4 * (tokens.reduce((sum, one) => sum + one, 0) * cached + widest + 2 * nLayers * layer);
}

function checkMemory(engine: Engine, batches: readonly PlannedBatch[]): void {
  const [needed, budget] = [maskBytes(engine, batches), engine.options.memoryBytes];
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  if (needed > budget)
    refuse(
      'discovery/memory',
      `learning masks of ${engine.universe.edgeCount} edges holds the whole model and all pairs at once, about ${mebibytes(needed)}, above the ceiling of ${mebibytes(budget)}; use fewer pairs (--examples), raise --memory, or choose a method that goes layer by layer, such as eap-ig`,
    );
}
