/** Doses and what they do, drawn. */
import { drawMap } from './heat-map/svg.js';
import { asGiven, number } from '../format.js';
import { drawLineChart, type ChartLine } from './line-chart/svg.js';
import type { DoseRecord, SteeringRecord } from '../records/steering.js';
import type { RenderedFile } from '../view.js';

const subtitle = ({ task, model, vector, steered }: SteeringRecord): string =>
  `${task.name} · ${model.name} · ${task.pairs} ${steered.prompts} prompts · ${vector.site}, ${steered.at}`;

type Estimate = SteeringRecord['clean'];

const line = (name: string, doses: readonly DoseRecord[], of: (dose: DoseRecord) => Estimate | null): ChartLine[] => {
  const points = [...doses]
    .sort((a, b) => a.coefficient - b.coefficient)
    .flatMap((dose) => {
      const estimate = of(dose);
      return estimate === null ? [] : [{ x: dose.coefficient, ...estimate }];
    });
  return points.length === 0 ? [] : [{ name, points }];
};

/** The metric by coefficient, between the levels of the clean and of the corrupt prompts. */
function drawMetric(record: SteeringRecord): string {
  const { task, doses, clean, corrupt } = record;
  return drawLineChart({
    ...{ title: 'Dose and response', subtitle: subtitle(record), xName: 'coefficient', yName: task.metric },
    lines: line('steered', doses, ({ metric }) => metric),
    levels: [{ name: 'clean', value: clean.mean }, { name: 'corrupt', value: corrupt.mean }], // prettier-ignore
  });
}

function drawAnswers(record: SteeringRecord): string | null {
  const lines = [
    ...line('correct', record.doses, ({ correct }) => correct),
    ...line('incorrect', record.doses, ({ incorrect }) => incorrect),
  ];
  if (lines.length === 0) return null;
  const title = 'Log-probability of the answers';
  return drawLineChart({ title, subtitle: subtitle(record), xName: 'coefficient', yName: 'log-probability', lines });
}

/** Where several places are steered by themselves: the change of the metric, a row for each coefficient. */
function drawPlaces(record: SteeringRecord): string {
  const { doses, steered, coefficients, task } = record;
  const at = (cell: number): DoseRecord => {
    const [row, column] = [Math.floor(cell / steered.places.length), cell % steered.places.length];
    return doses[column * coefficients.length + row] as DoseRecord;
  };
  const cells = doses.map((_, cell) => at(cell));
  return drawMap({
    ...{ title: 'change of the metric', subtitle: subtitle(record), valueName: `change of ${task.metric}` },
    axes: [
      { name: 'coefficient', labels: coefficients.map((coefficient) => asGiven(coefficient)) },
      { name: 'position', labels: steered.places },
    ],
    values: cells.map(({ change }) => change.mean),
    note: (cell) => ` (metric ${number(at(cell).metric.mean)})`,
  });
}

/** The record's pictures, by file name. Same record, same bytes. */
export function drawResponses(record: SteeringRecord): RenderedFile[] {
  if (record.steered.places.length > 1) return [{ file: 'places.svg', content: drawPlaces(record) }];
  const answers = drawAnswers(record);
  return [
    { file: 'dose-response.svg', content: drawMetric(record) },
    ...(answers === null ? [] : [{ file: 'log-probabilities.svg', content: answers }]),
  ];
}
