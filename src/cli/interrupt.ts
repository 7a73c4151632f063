/** Ctrl-C: work that heeds its signal stops by itself; work that does not is ended after a moment. */
import { TheveninError } from '../errors.js';

const GRACE_MS = 3000;

const interrupted = (advice: string | undefined): TheveninError =>
  new TheveninError(
    'cli/interrupted',
    `interrupted; files already complete are kept, unfinished ones are not${advice === undefined ? '' : `; ${advice}`}`,
  );

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/**
 * @param onDeaf called when the first Ctrl-C was not heeded in time, or at the second one
 * @param advice what to add, from what is being done then
 */
export const listenForInterrupt = (
  onDeaf: (reason: TheveninError) => void,
  advice: () => string | undefined,
): Interrupt => {
  const controller = new AbortController();
  const stop = (): void => {
    const reason = interrupted(advice());
    if (controller.signal.aborted) return onDeaf(reason);
    controller.abort(reason);
    setTimeout(() => onDeaf(reason), GRACE_MS).unref();
  };
  process.on('SIGINT', stop);
  return { signal: controller.signal, release: () => void process.off('SIGINT', stop) };
};
