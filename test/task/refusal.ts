import { TheveninError } from '../../src/errors.js';

/** The error with which something is refused. */
export const refusal = (act: () => unknown): TheveninError => {
  try {
    act();
  } catch (error) {
    if (error instanceof TheveninError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};
