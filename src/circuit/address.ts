/**
 * The address grammar: one language for everything that can be read, patched, scored or drawn.
 *
 *     address  = site | site "->" site { "->" site }   [ "@" where ]
 *     site     = "*" | "input" | "logits" | "resid"L".pre|mid|post" | "a"L".out" | "a"L".h"H[".q|k|v|z|pattern"]
 *              | "a"L".h"H"<q|k|v|*>" | "m"L | "m"L".n"N             with "*" for L, "h"H or N
 *     where    = span [ "<-" span ]                                   (query <- key, of patterns alone)
 *     span     = point [ ".." point ]        point = position from 0, or a name such as end, S2
 *
 * `a5.h1` is the head's output; `a5.h1.q` its query; `a5.h1<q>` what its query reads from the residual stream, the end of an edge.
 * `a5.1`, as the literature writes heads, is read as `a5.h1` and printed so.
 * An edge has two sites, a path more: the first is a sender, each later one a reader.
 */
import { refuse } from '../errors.js';
import { compileForms, fieldsOf, withWildcard } from './forms.js';
import type { Forms, Site, SiteKind } from './forms.js';

export type { Index, Site, SiteKind } from './forms.js';

/** A token position from 0, or a named one. */
export type Point = number | string;
/** Positions `from` … `to`, both included; `to` null: `from` alone (all of it, where it names a longer span). */
export interface Span {
  readonly from: Point;
  readonly to: Point | null;
}

export interface Address {
  /** one site; or the two ends of an edge; or the stops of a path */
  readonly stops: readonly Site[];
  readonly at: Span | null;
  /** key positions, of patterns alone */
  readonly key: Span | null;
}

const FORMS: Forms = [
  ['any', '*'],
  ['input', 'input'],
  ['logits', 'logits'],
  ['resid-pre', 'resid{layer}.pre'],
  ['resid-mid', 'resid{layer}.mid'],
  ['resid-post', 'resid{layer}.post'],
  ['attention', 'a{layer}.out'],
  ['head', 'a{layer}.{head}'],
  ['q', 'a{layer}.{head}.q'],
  ['k', 'a{layer}.{head}.k'],
  ['v', 'a{layer}.{head}.v'],
  ['z', 'a{layer}.{head}.z'],
  ['pattern', 'a{layer}.{head}.pattern'],
  ['read-q', 'a{layer}.{head}<q>'],
  ['read-k', 'a{layer}.{head}<k>'],
  ['read-v', 'a{layer}.{head}<v>'],
  ['read-any', 'a{layer}.{head}<*>'],
  ['mlp', 'm{layer}'],
  ['neuron', 'm{layer}.{neuron}'],
];
const FIELDS = new Map(FORMS.map(([kind, template]) => [kind, fieldsOf(template)]));
/** The fields a kind of site has. */
export const siteFields = (kind: SiteKind): ReturnType<typeof fieldsOf> => FIELDS.get(kind)!;

const SITES = compileForms(FORMS, siteFields, {
  layer: withWildcard(''),
  head: withWildcard('h', { lenient: true }),
  neuron: withWildcard('n'),
});

const SENDERS: readonly SiteKind[] = ['any', 'input', 'head', 'mlp'];
const READERS: readonly SiteKind[] = ['any', 'read-q', 'read-k', 'read-v', 'read-any', 'mlp', 'logits'];

const fail = (text: string, what: string): never =>
  refuse(
    'circuit/address',
    `address "${text}": ${what}; examples: a5.h1, m4.n10, resid3.pre@end, a0.h1->a2.h3<k>, a9.*<q>`,
  );

const parsePoint = (text: string, whole: string): Point => {
  if (/^(0|[1-9]\d*)$/.test(text)) return Number(text);
  if (/^[A-Za-z_][A-Za-z0-9_+]*$/.test(text)) return text;
  return fail(whole, `"${text}" is no position: a number from 0 or the name of a span was expected`);
};

const parseSpan = (text: string, whole: string): Span => {
  const [from = '', to, ...rest] = text.split('..').map((part) => part.trim());
  if (rest.length > 0) fail(whole, `"${text}" has more than one ".."`);
  return { from: parsePoint(from, whole), to: to === undefined ? null : parsePoint(to, whole) };
};

/** The place that stands behind an `@`: a position from 0, a name such as `end` or `S2`, or `S1..S2`. */
export const parsePlace = (text: string): Span => parseSpan(text, text);

const parseSite = (text: string, whole: string): Site => SITES.read(text) ?? fail(whole, `"${text}" is no site`);

const checkPath = (stops: readonly Site[], parts: readonly string[], whole: string): void => {
  if (stops.length === 1) return;
  stops.forEach(({ kind }, i) => {
    const allowed = i === 0 ? SENDERS : READERS;
    const role =
      i === 0 ? 'writes to the residual stream' : 'reads the residual stream (a head needs <q>, <k>, <v> or <*>)';
    if (!allowed.includes(kind)) fail(whole, `"${parts[i]!}" is not what ${role}`);
    if (kind === 'logits' && i < stops.length - 1) fail(whole, 'nothing follows the logits');
  });
};

/** Parses an address; white space around `->`, `@`, `..` and `<-` does not matter. Refuses with the part that is wrong. */
export const parseAddress = (text: string): Address => {
  const [place = '', where, ...rest] = text.split('@');
  if (rest.length > 0) fail(text, 'more than one "@"');
  const parts = place.split('->').map((part) => part.trim());
  const stops = parts.map((part) => parseSite(part, text));
  checkPath(stops, parts, text);
  if (where === undefined) return { stops, at: null, key: null };
  const [query = '', key, ...more] = where.split('<-');
  if (more.length > 0) fail(text, 'more than one "<-"');
  if (key !== undefined && (stops.length > 1 || stops[0]!.kind !== 'pattern')) fail(text, '"<-" is for patterns alone');
  return { stops, at: parseSpan(query, text), key: key === undefined ? null : parseSpan(key, text) };
};

const printSpan = ({ from, to }: Span): string => (to === null ? `${from}` : `${from}..${to}`);

/** A site in canonical spelling. */
export const printSite = (site: Site): string => SITES.write(site)!;

/** The canonical spelling: edges without spaces, paths with spaces around the arrows. */
export const printAddress = ({ stops, at, key }: Address): string => {
  const place = stops.map(printSite).join(stops.length > 2 ? ' -> ' : '->');
  if (at === null) return place;
  return `${place}@${printSpan(at)}${key === null ? '' : `<-${printSpan(key)}`}`;
};
