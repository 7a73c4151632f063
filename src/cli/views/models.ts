/** What `thevenin models` says of a model. */
import { countEdges } from '../../circuit/universe.js';
import type { Model } from '../../model/types.js';
import { printable } from '../../printable.js';
import { table } from './table.js';

interface ModelSummary {
  readonly model: string;
  readonly architecture: string;
  readonly layers: number;
  readonly heads: number;
  readonly dModel: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly tokenizer: boolean;
  /** of the edge universe */
  readonly edges: number;
}

export const describeModel = ({ source, config, tokenizer }: Model): ModelSummary => ({
  model: source,
  architecture: config.architecture,
  layers: config.nLayers,
  heads: config.nHeads,
  dModel: config.dModel,
  vocabulary: config.dVocab,
  context: config.nCtx,
  tokenizer: tokenizer !== null,
  edges: countEdges({
    nLayers: config.nLayers,
    nHeads: config.nHeads,
    hasMlp: config.dMlp > 0,
    parallelBlocks: config.parallelBlocks,
  }),
});

const HEAD = ['model', 'architecture', 'layers × heads', 'd_model', 'vocabulary', 'context', 'edges', 'tokenizer'];

export const modelTable = (models: readonly ModelSummary[]): string =>
  table(
    HEAD,
    models.map((m) => [
      printable(m.model),
      m.architecture,
      `${m.layers} × ${m.heads}`,
      `${m.dModel}`,
      `${m.vocabulary}`,
      `${m.context}`,
      m.edges.toLocaleString('en-US'),
      m.tokenizer ? 'yes' : 'none: token ids only',
    ]),
  );
