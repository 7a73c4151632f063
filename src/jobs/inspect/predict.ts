/** The next tokens after a prompt. */
import { nextTokenLogProbabilities } from '../../engine/judging/next-token.js';
import type { Model } from '../../model/types.js';
import type { Prompt } from '../../task/files/prompt-set.js';
import { roundTrips } from '../../task/words.js';
import { outputText, promptIds } from '../prompt-ids.js';
import { askedOf, type Takes } from '../asked.js';
import { withWorkbench } from '../workbench.js';

export interface PredictRequest {
  /** text, or token ids taken as they are */
  readonly prompt: Prompt;
  readonly model: string;
  readonly top: number;
  readonly bos: boolean | 'auto' | undefined;
  readonly runtime: string;
  readonly threads: number | undefined;
}

export interface Prediction {
  /** the prompt as the model saw it, BOS included */
  readonly ids: readonly number[];
  /** what of the text the model cannot read, in words */
  readonly warnings: readonly string[];
  /** most probable first; natural log-probabilities */
  readonly top: readonly { readonly id: number; readonly text: string | null; readonly logprob: number }[];
}

const TAKES: Takes<PredictRequest, 'prompt' | 'model'> = {
  name: 'predict',
  needs: ['prompt', 'model'],
  defaults: { top: 10, bos: undefined, runtime: 'auto', threads: undefined },
};

/** Cost: one forward pass. */
export async function predict(
  asked: Partial<PredictRequest> & Pick<PredictRequest, 'prompt' | 'model'>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Prediction> {
  const request = askedOf(TAKES, asked);
  return withWorkbench(request, async ({ model, engine }) => {
    const ids = promptIds(model, request.prompt, request.bos);
    signal?.throwIfAborted();
    const logprobs = await nextTokenLogProbabilities(engine, ids);
    const order = Array.from(logprobs.keys()).sort(
      (a, b) => (logprobs[b] as number) - (logprobs[a] as number) || a - b,
    );
    const top = order
      .slice(0, request.top)
      .map((id) => ({ id, text: outputText(model, id), logprob: logprobs[id] as number }));
    return { ids, warnings: lostWords(model, request.prompt), top };
  });
}

/** Words that are not in the vocabulary become the tokenizer's token for the unknown, without a word. */
function lostWords({ tokenizer, config }: Model, prompt: Prompt): string[] {
  if (tokenizer === null || typeof prompt !== 'string' || prompt.trim() === '') return [];
  const ids = tokenizer.encode(prompt);
  if (roundTrips(prompt, ids, tokenizer)) return [];
  return [
    `${config.name}'s tokenizer cannot write every word of the prompt; the model reads "${tokenizer.decode(ids)}"`,
  ];
}
