import { columnsOf } from '../../engine/model-run/groups.js';
import type { Attribution, EdgesContext } from './types.js';

/**
 * Scores as they come in, means in float64. An edge has one column for each group of positions that the user tells apart, and a
 * last one for all positions together, which is the edge's own score.
 */
export class ScoreTable {
  private readonly edgeCount: number;
  private readonly columns: number;
  /** [edge · columns + column] */
  private readonly mean: Float64Array;
  /** [example, edge] */
  private readonly perExample: Float32Array;
  /** [example, edge, group] */
  private readonly byGroup: Float32Array | null;

  constructor(private readonly context: Pick<EdgesContext, 'engine' | 'examples' | 'groups' | 'keepsExamples'>) {
    const { engine, examples, groups, keepsExamples } = context;
    this.edgeCount = engine.universe.edgeCount;
    this.columns = columnsOf(groups);
    this.mean = new Float64Array(this.edgeCount * this.columns);
    this.perExample = new Float32Array(examples.length * this.edgeCount);
    const cells = examples.length * this.edgeCount * (this.columns - 1);
    this.byGroup = groups && keepsExamples ? new Float32Array(cells) : null;
  }

  /** Scores of some examples, [(example · edgeCount + edge) · columns + column], the examples' places given. */
  takeBatch(places: readonly number[], values: Float32Array | Float64Array): void {
    const { mean } = this;
    const share = 1 / this.context.examples.length;
    places.forEach((place, i) => {
      const own = values.subarray(i * mean.length, (i + 1) * mean.length);
      for (let cell = 0; cell < mean.length; cell++) mean[cell] = mean[cell]! + own[cell]! * share;
      this.keep(place, own);
    });
  }

  /** One edge's score in one column, on every example. */
  takeCell(
    { edge, column = this.columns - 1 }: { edge: number; column?: number | undefined },
    values: Float64Array,
  ): void {
    let sum = 0;
    values.forEach((value, example) => {
      sum += value;
      this.put(example, { edge, column }, value);
    });
    this.mean[edge * this.columns + column] = sum / values.length;
  }

  scores(method: string): Pick<Attribution, 'scores' | 'resolved'> {
    const { mean, columns, perExample } = this;
    const groups = columns - 1;
    const pick = (from: number, count: number): Float64Array =>
      Float64Array.from({ length: this.edgeCount * count }, (_, i) => mean[Math.floor(i / count) * columns + from + (i % count)]!); // prettier-ignore
    const scores = { method, mean: pick(groups, 1), perExample, exampleCount: this.context.examples.length };
    if (!this.context.groups) return { scores };
    return { scores, resolved: { names: this.context.groups.names, mean: pick(0, groups), perExample: this.byGroup } };
  }

  private keep(example: number, own: Float32Array | Float64Array): void {
    const { columns } = this;
    if (columns === 1) this.perExample.set(own, example * this.edgeCount);
    else
      for (let edge = 0; edge < this.edgeCount; edge++)
        for (let column = this.byGroup ? 0 : columns - 1; column < columns; column++)
          this.put(example, { edge, column }, own[edge * columns + column]!);
  }

  private put(example: number, { edge, column }: { edge: number; column: number }, value: number): void {
    const groups = this.columns - 1;
    const place = example * this.edgeCount + edge;
    if (column === groups) this.perExample[place] = value;
    else if (this.byGroup) this.byGroup[place * groups + column] = value;
  }
}
