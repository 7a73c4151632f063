/** Every program of the engine, by the name under which its kernels are prepared; a new one is a function and its name here. */
import type { Arithmetic } from '../../model/blocks.js';
import type { Program } from '../../program/index.js';
import {
  sumStreams,
  sumQuestions,
  headRows,
  pickTokens,
  distances,
  mlpPropagation,
  attendPropagation,
  softmaxFix,
} from './attribution.js';
import {
  cutStream,
  cutHead,
  joinRows,
  circuitStream,
  circuitChange,
  headChanges,
  circuitHeads,
  mixHeads,
} from './edges.js';
import {
  project,
  attend,
  output,
  feedForward,
  shift,
  swapStream,
  shiftHeads,
  swapHeads,
  moveHeads,
  addStreams,
} from './forward.js';
import {
  mlpGradient,
  outputGradient,
  attendGradient,
  projectGradient,
  readersGradient,
  readerScores,
  headDifferences,
  streamDifference,
  joinDifferences,
} from './gradient.js';
import { cutNeuron, neuronChange, neuronDifferences, neuronReaders } from './neuron-edges.js';
import { metric, metricGradient, logits } from './metric.js';
import { attendHead, giveHead, giveStream, pickHead, pickStream, readHead } from './scrub.js';
import { activeNeurons, moveNeurons, shiftNeuron, shiftNeurons, swapNeurons } from './neurons.js';
import { headNodes, neuronNodes, streamNodes } from './nodes.js';

const BUILDERS = {
  project,
  attend,
  output,
  feedForward,
  shift,
  swapStream,
  shiftHeads,
  swapHeads,
  moveHeads,
  addStreams,
  activeNeurons,
  moveNeurons,
  shiftNeuron,
  shiftNeurons,
  swapNeurons,
  streamNodes,
  headNodes,
  neuronNodes,
  cutStream,
  cutHead,
  joinRows,
  circuitStream,
  circuitChange,
  headChanges,
  circuitHeads,
  mixHeads,
  mlpGradient,
  outputGradient,
  attendGradient,
  projectGradient,
  readersGradient,
  readerScores,
  headDifferences,
  streamDifference,
  joinDifferences,
  cutNeuron,
  neuronChange,
  neuronDifferences,
  neuronReaders,
  sumStreams,
  sumQuestions,
  headRows,
  pickTokens,
  distances,
  mlpPropagation,
  attendPropagation,
  softmaxFix,
  metric,
  metricGradient,
  logits,
  pickStream,
  pickHead,
  readHead,
  attendHead,
  giveStream,
  giveHead,
} as const satisfies Record<string, (...args: never[]) => Program>;

type Builders = typeof BUILDERS;
export type KernelName = keyof Builders;
/** The second argument of a builder, where it has one. */
export type Variant<Name extends KernelName> = Parameters<Builders[Name]> extends [Arithmetic, infer V] ? V : undefined;

export const buildProgram = <Name extends KernelName>(
  name: Name,
  arithmetic: Arithmetic,
  variant: Variant<Name>,
): Program => (BUILDERS[name] as (arithmetic: Arithmetic, variant: Variant<Name>) => Program)(arithmetic, variant);
