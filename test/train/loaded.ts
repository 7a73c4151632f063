/** A model as users load it, ready to be measured. */
import { arithmeticOf, parameterValue } from '../../src/model/parameters.js';
import { loadModel } from '../../src/model/load.js';
import type { Runtime } from '../../src/runtime/types.js';
import { weightSpecs, type Blueprint } from '../../src/train/forward.js';
import { createMeter, type Meter } from '../../src/train/meter.js';

const OUTSIDE: Readonly<Record<string, string>> = { embed: 'embed.W_E', positions: 'pos_embed.W_pos' };

export async function meterOf(runtime: Runtime, source: string): Promise<Meter> {
  const model = await loadModel(source);
  const { config, weights } = model;
  const blueprint: Blueprint = { ...arithmeticOf(config, weights), tied: false };
  const values = new Map<string, Float32Array>();
  for (const { name } of weightSpecs(blueprint)) {
    const [, layer = '0', inLayer = name] = /^(\d+)\.(.*)$/.exec(name) ?? [];
    const outside = OUTSIDE[name];
    values.set(
      name,
      Float32Array.from(await (outside ? weights.read(outside) : parameterValue(inLayer, model, Number(layer)))),
    );
  }
  await model.dispose();
  return createMeter(runtime, blueprint, values);
}
