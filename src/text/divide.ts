/** The ways to divide prompts: one value for all positions, for each position, or for each named span. */
import { refuse } from '../errors.js';
import type { Example } from '../task/types.js';

export interface PlacesOptions {
  /** names of the spans asked for; undefined: all that any prompt has */
  readonly spans: readonly string[] | undefined;
  /** the text of a token, for labels */
  readonly tokenText?: ((id: number) => string) | undefined;
}

type PlacesMaker = (examples: readonly Example[], options: PlacesOptions) => Places;

const whole: PlacesMaker = () => ({ axis: null, positions: () => [undefined] });

/** The lengths of the prompts, each once, the least first. */
const lengthsOf = (examples: readonly Example[]): number[] =>
  [...new Set(examples.map(({ clean }) => clean.length))].sort((a, b) => a - b);

/** The spans that every prompt has. */
export const sharedSpans = (examples: readonly Example[]): string[] => {
  const [first, ...others] = examples;
  return Object.keys(first?.spans ?? {}).filter((name) => others.every(({ spans }) => spans[name]));
};

/** How prompts are divided that nobody said how to: by position, or where their lengths differ by the spans they share. */
export const usualWay = (by: By, examples: readonly Example[]): { by: By; spans?: readonly string[] } => {
  if (by !== 'position' || lengthsOf(examples).length < 2) return { by };
  const spans = sharedSpans(examples);
  return spans.length === 0 ? { by } : { by: 'span', spans };
};

const byPosition: PlacesMaker = (examples, { tokenText }) => {
  const lengths = lengthsOf(examples);
  const [length = 0] = lengths;
  const shared = sharedSpans(examples);
  const way = shared.length === 0 ? 'all' : `span --spans ${shared.join(',')}`;
  if (lengths.length > 1)
    refuse(
      'interventions/positions',
      `the prompts have ${lengths.join(', ')} tokens: positions cannot be matched between prompts of unequal lengths; divide them by span or not at all (--by, --resolution: span, all); here --by ${way}`,
    );
  const positions = Array.from({ length }, (_, position) => [position]);
  const labels = positions.map(([position = 0]) => labelOf(position, examples, tokenText));
  return { axis: { name: 'position', labels }, positions: () => positions };
};

/** The position, with the span that stands there in every prompt, or else the token that does. */
function labelOf(position: number, examples: readonly Example[], tokenText: PlacesOptions['tokenText']): string {
  const [first] = examples;
  const isAt = ({ spans }: Example, name: string): boolean =>
    spans[name]?.[0] === position && spans[name][1] === position + 1;
  const span = Object.keys(first?.spans ?? {}).find((name) => examples.every((example) => isAt(example, name)));
  if (span !== undefined) return `${position} ${span}`;
  const id = first?.clean[position];
  const same = examples.every(({ clean, corrupt }) => clean[position] === id && corrupt[position] === id);
  return same && tokenText && id !== undefined ? `${position} ${JSON.stringify(tokenText(id))}` : `${position}`;
}

const bySpan: PlacesMaker = (examples, { spans }) => {
  const everywhere = [...new Set(examples.flatMap((example) => Object.keys(example.spans)))];
  const names = spans ?? everywhere;
  if (names.length === 0)
    refuse(
      'interventions/positions',
      'the task names no spans; give its pairs spans, or divide the prompts by position',
    );
  const found = sharedSpans(examples);
  for (const name of names) {
    const lacking = examples.filter((example) => example.spans[name] === undefined);
    if (lacking.length > 0)
      refuse(
        'interventions/positions',
        `span ${name} is absent from ${lacking.length} of ${examples.length} prompts (the first is pair ${lacking[0]?.index}); every prompt has ${found.length === 0 ? 'no span' : `--spans ${found.join(',')}`}`,
      );
  }
  const range = ([from, to]: readonly [number, number]): number[] =>
    Array.from({ length: to - from }, (_, i) => from + i);
  const positions = (example: Example): number[][] =>
    names.map((name) => range(example.spans[name] as readonly [number, number]));
  return { axis: { name: 'span', labels: names }, positions };
};

/** Every way to divide prompts; a new one is a line here. */
export const PLACES: { readonly [Way in By]: PlacesMaker } = { all: whole, position: byPosition, span: bySpan };

/** What a grid runs over, with a name for each of its places. */
export interface Axis {
  readonly name: 'layer' | 'head' | 'neuron' | 'position' | 'span' | 'query' | 'key' | 'sender' | 'receiver' | 'heads';
  readonly labels: readonly string[];
}

/** Where along the prompt values are replaced: at all positions at once, position by position, span by span. */
export type By = 'all' | 'position' | 'span';

/** The last axis of a grid: which positions of an example stand at each of its places. */
export interface Places {
  /** null: all positions at once, no axis */
  readonly axis: Axis | null;
  /** undefined: all positions */
  positions(example: Example): readonly (readonly number[] | undefined)[];
}
