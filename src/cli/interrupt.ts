/** Ctrl-C: work that heeds its signal stops by itself; work that does not is ended after a moment. */
import { TheveninError } from '../errors.js';

const GRACE_MS = 3000;

export const interrupted = (): TheveninError =>
  new TheveninError('cli/interrupted', 'interrupted; files already complete are kept, unfinished ones are not');

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/** @param onDeaf called when the first Ctrl-C was not heeded in time, or at the second one */
export const listenForInterrupt = (onDeaf: () => void): Interrupt => {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) return onDeaf();
    controller.abort(interrupted());
    setTimeout(onDeaf, GRACE_MS).unref();
  };
  process.on('SIGINT', stop);
  return { signal: controller.signal, release: () => void process.off('SIGINT', stop) };
};
