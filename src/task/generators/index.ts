/** The generators of tasks. */
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { docstring } from './docstring.js';
import type { Generator } from './generator.js';
import { greaterThan } from './greater-than.js';
import { induction } from './induction.js';
import { ioi } from './ioi.js';
import { subjectVerbAgreement } from './subject-verb-agreement.js';

export const GENERATORS: readonly Generator[] = [docstring, greaterThan, induction, ioi, subjectVerbAgreement];

/** @throws task/unknown */
export const findGenerator = (key: string, path: string): Generator =>
  GENERATORS.find((generator) => generator.key === key) ??
  refuse(
    'task/unknown',
    `${path}: /generator/name: unknown generator "${key}"; expected one of ${choicesFor(
      key,
      GENERATORS.map((one) => one.key),
    )}`,
  );
