/** Makes one bundled model: train, measure, write. */
import { mkdir } from 'node:fs/promises';
import type { Runtime } from '../runtime/types.js';
import { curveSvg, summarise } from './files/curve.js';
import { train, type Progress, type Schedule } from './loop.js';
import { createMeter } from './meter.js';
import { weightValues } from './parameters.js';
import type { Recipe } from './recipes/recipe.js';
import { writeJson, writeText } from './files/write-json.js';

const CURVE_POINTS = 100;

export interface Made {
  readonly losses: readonly number[];
  readonly seconds: number;
  readonly figures: object;
}

export interface MakeOptions {
  readonly schedule: Schedule;
  /** an existing folder is written into */
  readonly folder: string;
  readonly onStep?: (progress: Progress) => void;
}

/** Writes the model's files, training.json (how it was made, its curve, what it was judged by) and loss.svg. @throws file/unwritable */
export async function make(runtime: Runtime, recipe: Recipe, options: MakeOptions): Promise<Made> {
  const { schedule, folder, onStep } = options;
  const losses: number[] = [];
  const [started, idle] = [performance.now(), process.cpuUsage()];
  const flat = await train(runtime, { ...recipe, schedule }, (progress) => {
    losses.push(progress.loss);
    onStep?.(progress);
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  const { user, system } = process.cpuUsage(idle);
  const cpuSeconds = Math.round((user + system) / 1e6);
  const weights = weightValues(recipe.blueprint, flat);
  const meter = await createMeter(runtime, recipe.blueprint, weights);
  const figures = await recipe.verify(meter);
  await meter.dispose();
  await mkdir(folder, { recursive: true });
  await recipe.save(folder, weights);
  const curve = summarise(losses, CURVE_POINTS);
  const how = { command: `npm run train -- ${recipe.key}`, runtime: runtime.info.title, parameters: flat.length };
  await writeJson(`${folder}/training.json`, { ...how, schedule, seconds, cpuSeconds, figures, curve });
  await writeText(`${folder}/loss.svg`, curveSvg(recipe.key, curve));
  return { losses, seconds, figures };
}
