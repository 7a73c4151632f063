/**
 * The JSON Lines of feature-circuits (Marks et al. 2024, arXiv 2403.19647): subject-verb agreement, the patch prefix has
 * the subject's other number. `case` becomes the group.
 */
import { parseRows, type Fields } from '../files/json.js';
import { isText, type Importer, type Row } from './importer.js';

const pairOf = ({
  clean_prefix: clean,
  patch_prefix: corrupt,
  clean_answer: correct,
  patch_answer: incorrect,
  ...rest
}: Fields): Row => {
  if (!isText(clean) || !isText(corrupt)) return { dropped: 'a prompt is missing' };
  if (!isText(correct) || !isText(incorrect)) return { dropped: 'an answer is missing' };
  return { clean, corrupt, correct, incorrect, ...(isText(rest['case']) ? { group: rest['case'] } : {}) };
};

export const featureCircuits: Importer = {
  key: 'feature-circuits',
  title: 'feature-circuits JSON Lines: subject-verb agreement',
  reference: 'github.com/saprmarks/feature-circuits (MIT)',
  recognises: (beginning) => beginning.includes('"clean_prefix"'),
  read: (text, { path }) => ({ metric: 'logit-difference', rows: parseRows(text, path).map(pairOf) }),
};
