/** Prompts that stand alone, as a model reads them. */
import { refuse } from '../errors.js';
import type { Model } from '../model/types.js';
import type { Prompt } from '../task/files/prompt-set.js';

/**
 * Token ids of a text, with BOS where it is wanted; ids are taken as they are.
 * @throws TheveninError cli/usage: none, or more than the model reads; tokenizer/id; model/tokenizer
 */
export function promptIds(model: Model, prompt: Prompt, bos: boolean | 'auto' | undefined): readonly number[] {
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

function encode({ tokenizer, source }: Model, text: string, bos: boolean | 'auto' | undefined): number[] {
  if (!tokenizer)
    return refuse(
      'model/tokenizer',
      `${source} has no tokenizer; give token ids instead of a text, e.g. --ids 1,2,3, or in files of prompts lists such as [[1, 2], [3]]`,
    );
  const wanted = bos === undefined || bos === 'auto' ? tokenizer.prependsBos : bos;
  if (wanted && tokenizer.bosId === null)
    return refuse('model/tokenizer', `the tokenizer of ${source} has no BOS token; use --bos false`);
  return [...(wanted && tokenizer.bosId !== null ? [tokenizer.bosId] : []), ...tokenizer.encode(text)];
}

/** The text of an output token; null where a model has no tokenizer, or puts out something else than tokens. */
export const outputText = ({ tokenizer, config }: Model, id: number): string | null =>
  tokenizer && config.dVocabOut === config.dVocab ? tokenizer.tokenText(id) : null;

/** A prompt as text, or where there is no tokenizer its ids. */
export const promptText = ({ tokenizer }: Model, ids: readonly number[]): string =>
  tokenizer?.decode(ids) ?? ids.join(' ');
