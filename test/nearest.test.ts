import { expect } from 'chai';
import { loadModel } from '../src/model/load.js';
import { choicesFor } from '../src/nearest.js';
import { refused } from './helpers/model-files.js';

describe('the names that there are, for a name that is not', () => {
  const names = ['eap', 'eap-ig', 'exact', 'acdc', 'random'];
  const cases: readonly (readonly [asked: string, first: string, why: string])[] = [
    ['eap_ig', 'eap-ig', 'a letter exchanged'],
    ['exatc', 'exact', 'two letters swapped'],
    ['rndom', 'random', 'a letter left out'],
    ['eapp', 'eap', 'a letter too many'],
    ['ACDC', 'acdc', 'capitals'],
    ['acd', 'acdc', 'the beginning of a name'],
  ];
  for (const [asked, first, why] of cases)
    it(`${asked}: ${first} comes first (${why})`, () => {
      const listed = choicesFor(asked, names).split(', ');
      expect(listed[0]).to.equal(first);
      expect(listed).to.have.members(names);
    });

  it('a name that is near to none leaves their order as it is', () =>
    expect(choicesFor('magic', names)).to.equal(names.join(', ')));

  it('a model that is called by a name and is not there', () =>
    refused(loadModel('gpt2'), 'file/missing', 'no model is called "gpt2"', 'bundled are induction, ioi', './gpt2'));

  it('a model that is no name at all', async () => {
    await refused(loadModel(undefined as never), 'file/missing', 'no model was named');
    await refused(loadModel(''), 'file/missing', 'no model was named');
  });

  it('a bundled model with a slip of the pen', () =>
    refused(loadModel('oii'), 'file/missing', 'bundled are ioi, induction'));
});
