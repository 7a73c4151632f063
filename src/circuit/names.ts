/** Names other libraries give to the same places: readers and writers of them, from and to this project's addresses. */
import { siteFields } from './address.js';
import type { Site } from './address.js';
import { compileForms, PLAIN } from './forms.js';
import type { Forms, FormTable } from './forms.js';

export interface Naming extends FormTable {
  readonly key: string;
  readonly title: string;
  readonly reference: string;
}

const naming = (key: string, title: string, reference: string, forms: Forms): Naming => ({
  key,
  title,
  reference,
  ...compileForms(forms, siteFields, { layer: PLAIN, head: PLAIN, neuron: PLAIN }),
});

const QKV = ['q', 'k', 'v'] as const;

const transformerLens = naming(
  'transformer-lens',
  'TransformerLens hook names, indexed by head or neuron',
  'github.com/TransformerLensOrg/TransformerLens (HookedTransformer; TransformerBridge names are read too)',
  [
    ['input', 'hook_embed'],
    ['resid-pre', 'blocks.{layer}.hook_resid_pre'],
    ['resid-mid', 'blocks.{layer}.hook_resid_mid'],
    ['resid-post', 'blocks.{layer}.hook_resid_post'],
    ['attention', 'blocks.{layer}.hook_attn_out'],
    ['mlp', 'blocks.{layer}.hook_mlp_out'],
    ['head', 'blocks.{layer}.attn.hook_result[:, :, {head}]'],
    ['head', 'blocks.{layer}.attn.hook_result'],
    ...[...QKV, 'z' as const].flatMap((part): Forms => [
      [part, `blocks.{layer}.attn.hook_${part}[:, :, {head}]`],
      [part, `blocks.{layer}.attn.hook_${part}`],
    ]),
    ['pattern', 'blocks.{layer}.attn.hook_pattern[:, {head}]'],
    ['pattern', 'blocks.{layer}.attn.hook_pattern'],
    ...QKV.flatMap((part): Forms => [
      [`read-${part}`, `blocks.{layer}.hook_${part}_input[:, :, {head}]`],
      [`read-${part}`, `blocks.{layer}.hook_${part}_input`],
    ]),
    ['neuron', 'blocks.{layer}.mlp.hook_post[:, :, {neuron}]'],
    ['neuron', 'blocks.{layer}.mlp.hook_post'],
    // TransformerBridge
    ['input', 'embed.hook_out'],
    ['resid-pre', 'blocks.{layer}.hook_in'],
    ['resid-mid', 'blocks.{layer}.ln2.hook_in'],
    ['resid-post', 'blocks.{layer}.hook_out'],
    ['attention', 'blocks.{layer}.attn.hook_out'],
    ['mlp', 'blocks.{layer}.mlp.hook_out'],
    ...QKV.map((part) => [part, `blocks.{layer}.attn.${part}.hook_out`] as const),
    ['z', 'blocks.{layer}.attn.o.hook_in'],
    ['neuron', 'blocks.{layer}.mlp.out.hook_in'],
  ],
);

const autoCircuit = naming('auto-circuit', 'auto-circuit node names', 'github.com/UFO-101/auto-circuit', [
  ['input', 'Resid Start'],
  ['logits', 'Resid End'],
  ['head', 'A{layer}.{head}'],
  ['read-q', 'A{layer}.{head}.Q'],
  ['read-k', 'A{layer}.{head}.K'],
  ['read-v', 'A{layer}.{head}.V'],
  ['mlp', 'MLP {layer}'],
]);

const acdc = naming(
  'acdc',
  'ACDC node names (those of its pictures)',
  'github.com/ArthurConmy/Automatic-Circuit-Discovery; its hook names are those of TransformerLens',
  [
    ['input', 'embed'], // ACDC leaves the brackets out here
    ['input', '<token_embeds>'],
    ['logits', '<resid_post>'],
    ['head', '<a{layer}.{head}>'],
    ['read-q', '<a{layer}.{head}_q>'],
    ['read-k', '<a{layer}.{head}_k>'],
    ['read-v', '<a{layer}.{head}_v>'],
    ['mlp', '<m{layer}>'],
  ],
);

export const NAMINGS: readonly Naming[] = [transformerLens, autoCircuit, acdc];

/** An edge as a library with `sender->reader` edges writes it (auto-circuit's `A0.1->A2.3.K`); null where it has no name. */
export const writeEdge = (in_: Naming, [sender, reader]: readonly [Site, Site]): string | null => {
  const [from, to] = [in_.write(sender), in_.write(reader)];
  return from === null || to === null ? null : `${from}->${to}`;
};

/** The two ends of such an edge; null where the text is not one. */
export const readEdge = (in_: Naming, text: string): readonly [Site, Site] | null => {
  const [from = '', to = '', ...rest] = text.split('->');
  const [sender, reader] = [in_.read(from), in_.read(to)];
  return rest.length > 0 || sender === null || reader === null ? null : [sender, reader];
};
