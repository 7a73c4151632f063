/** The prompts whose difference steers: a pair, two sets from files, or the task's own clean and corrupt prompts. */
import { refuse } from '../../errors.js';
import { plainPrompt, type Contrast, type PromptSet } from '../../interventions/steering/vectors.js';
import type { Model } from '../../model/types.js';
import { parsePromptSet, type Prompt } from '../../task/files/prompt-set.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { promptIds } from '../prompt-ids.js';
import { readTextFile } from '../../task/files/text-file.js';

/** What can be contrasted; of pair and sets both sides or none. */
export interface ContrastRequest {
  /** a pair of prompts, as activation addition has it … */
  readonly plus: Prompt | undefined;
  readonly minus: Prompt | undefined;
  /** … or two sets: files, or the prompts themselves; undefined: the task's own clean and corrupt prompts */
  readonly plusSet: string | readonly Prompt[] | undefined;
  readonly minusSet: string | readonly Prompt[] | undefined;
  /** what the shorter prompt of a pair is filled up with on the right: a text of one token, or a token id */
  readonly pad: string | number;
  /** each | mean | a span; undefined: each of a pair, end of sets */
  readonly read: string | undefined;
}

export type ContrastSource = 'prompt-pair' | 'prompt-sets' | 'task';

/** Which of them is asked for. @throws TheveninError interventions/steering: one side alone, or two at a time */
export function sourceOf({ plus, minus, plusSet, minusSet }: ContrastRequest): ContrastSource {
  const [pair, sets] = [[plus, minus], [plusSet, minusSet]].map((sides) => sides.filter((side) => side !== undefined).length); // prettier-ignore
  if (pair === 1 || sets === 1 || (pair === 2 && sets === 2))
    refuse(
      'interventions/steering',
      'a contrast has two sides: give --plus and --minus, or --plus-set and --minus-set, or none of them for the clean and corrupt prompts of the task',
    );
  return pair === 2 ? 'prompt-pair' : sets === 2 ? 'prompt-sets' : 'task';
}

interface Given {
  readonly model: Model;
  readonly task: CheckedTask;
  readonly asked: ContrastRequest;
}

export async function openContrast(
  model: Model,
  task: CheckedTask,
  { asked, source }: { asked: ContrastRequest; source: ContrastSource },
): Promise<Contrast> {
  const { read, ...sides } = await OPEN[source]({ model, task, asked });
  return { ...sides, read: asked.read ?? read };
}

/** Every source, with where it is read by default; a new one is an entry here. */
const OPEN: { readonly [Source in ContrastSource]: (given: Given) => Promise<Contrast> } = {
  'prompt-pair': ({ model, task, asked: { plus = '', minus = '', pad, read = 'each' } }) => {
    const sides = [promptIds(model, plus, task.bos), promptIds(model, minus, task.bos)];
    const [first, second] = read === 'each' ? padded(model, sides, pad) : sides;
    return Promise.resolve({ plus: setOf([first!]), minus: setOf([second!]), read });
  },
  'prompt-sets': async ({ model, task, asked: { plusSet = [], minusSet = [] } }) => {
    const open = async (set: string | readonly Prompt[]): Promise<PromptSet> => {
      const prompts =
        typeof set === 'string'
          ? parsePromptSet(await readTextFile(set, 'a file with a prompt on each line'), set)
          : set;
      return setOf(prompts.map((prompt) => promptIds(model, prompt, task.bos)));
    };
    return { plus: await open(plusSet), minus: await open(minusSet), read: 'end' };
  },
  task: ({ task: { examples, splits } }) => {
    const own = splits.discover.map((place) => examples[place] as Example);
    return Promise.resolve({
      plus: { examples: own, side: 'clean' },
      minus: { examples: own, side: 'corrupt' },
      read: 'end',
    });
  },
};

const setOf = (prompts: readonly (readonly number[])[]): PromptSet => ({
  examples: prompts.map((ids, index) => plainPrompt(ids, index)),
  side: 'clean',
});

/** The shorter prompt filled up on the right (Turner et al. fill up with spaces). */
function padded(model: Model, prompts: readonly (readonly number[])[], pad: string | number): (readonly number[])[] {
  const length = Math.max(...prompts.map((ids) => ids.length));
  if (prompts.every((ids) => ids.length === length)) return [...prompts];
  const filler = fillerOf(model, pad);
  return prompts.map((ids) => [...ids, ...Array<number>(length - ids.length).fill(filler)]);
}

function fillerOf({ tokenizer, config }: Model, pad: string | number): number {
  const ids = typeof pad === 'number' ? [pad] : (tokenizer?.encode(pad) ?? []);
  const [id] = ids;
  if (ids.length !== 1 || id === undefined || id >= config.dVocab)
    return refuse(
      'interventions/steering',
      `the pair of prompts is not equally long, and ${JSON.stringify(pad)} is ${ids.length === 1 ? 'no' : `${ids.length} of the model’s`} tokens to fill the shorter one up with; give --pad a text of one token or a token id, prompts of one length, or --read end`,
    );
  return id;
}
