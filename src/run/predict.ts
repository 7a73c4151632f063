/** The next tokens after a prompt. */
import { nextTokenLogProbabilities } from '../engine/next-token.js';
import { refuse } from '../errors.js';
import type { Model } from '../model/types.js';
import { withWorkbench } from './workbench.js';

export interface PredictRequest {
  /** text, or token ids taken as they are */
  readonly prompt: string | readonly number[];
  readonly model: string;
  readonly top: number;
  readonly bos: boolean | 'auto' | undefined;
  readonly runtime: string;
  readonly threads: number | undefined;
}

export interface Prediction {
  /** the prompt as the model saw it, BOS included */
  readonly ids: readonly number[];
  /** most probable first; natural log-probabilities */
  readonly top: readonly { readonly id: number; readonly text: string | null; readonly logprob: number }[];
}

/** Cost: one forward pass. */
export async function predict(
  request: PredictRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Prediction> {
  return withWorkbench(request, async ({ model, engine }) => {
    const ids = promptIds(model, request);
    signal?.throwIfAborted();
    const logprobs = await nextTokenLogProbabilities(engine, ids);
    const order = Array.from(logprobs.keys()).sort(
      (a, b) => (logprobs[b] as number) - (logprobs[a] as number) || a - b,
    );
    const top = order
      .slice(0, request.top)
      .map((id) => ({ id, text: textOf(model, id), logprob: logprobs[id] as number }));
    return { ids, top };
  });
}

const textOf = ({ tokenizer, config }: Model, id: number): string | null =>
  tokenizer && config.dVocabOut === config.dVocab ? tokenizer.tokenText(id) : null;

function promptIds(model: Model, { prompt, bos }: PredictRequest): readonly number[] {
  const { config, tokenizer } = model;
  const ids = typeof prompt === 'string' ? encode(model, prompt, bos) : prompt;
  if (ids.length === 0) refuse('cli/usage', 'the prompt is empty; give at least one token');
  if (ids.length > config.nCtx)
    refuse('cli/usage', `the prompt has ${ids.length} tokens; ${config.name} reads ${config.nCtx} at most; shorten it`);
  const outside = ids.find((id) => id < 0 || id >= config.dVocab);
  if (outside !== undefined)
    refuse(
      'tokenizer/id',
      `token id ${outside} is outside the vocabulary of ${config.name} (0 … ${config.dVocab - 1})${tokenizer ? '' : '; the model has no tokenizer'}`,
    );
  return ids;
}

function encode({ tokenizer, source }: Model, text: string, bos: PredictRequest['bos']): number[] {
  if (!tokenizer)
    return refuse('model/tokenizer', `${source} has no tokenizer; give token ids with --ids, e.g. --ids 1,2,3`);
  const wanted = bos === undefined || bos === 'auto' ? tokenizer.prependsBos : bos;
  if (wanted && tokenizer.bosId === null)
    return refuse('model/tokenizer', `the tokenizer of ${source} has no BOS token; use --bos false`);
  return [...(wanted && tokenizer.bosId !== null ? [tokenizer.bosId] : []), ...tokenizer.encode(text)];
}
