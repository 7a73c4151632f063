/** Reading and writing names of sites from tables of templates: one row is both the parser and the printer of a form. */

/** A layer, head or neuron number; `*` = any. */
export type Index = number | '*';

/** What a name can stand for. `q` … are activations; `read-q` … are a head's reads from the residual stream (ends of edges). */
export type SiteKind =
  | 'any'
  | 'input'
  | 'logits'
  | 'resid-pre'
  | 'resid-mid'
  | 'resid-post'
  | 'attention'
  | 'head'
  | 'q'
  | 'k'
  | 'v'
  | 'z'
  | 'pattern'
  | 'read-q'
  | 'read-k'
  | 'read-v'
  | 'read-any'
  | 'mlp'
  | 'neuron';

type Field = 'layer' | 'head' | 'neuron';

/** A place in the model; fields that a kind does not have are absent. */
export interface Site {
  readonly kind: SiteKind;
  readonly layer?: Index;
  readonly head?: Index;
  readonly neuron?: Index;
}

/** Templates such as `a{layer}.{head}.q`. Of several for one kind the first that fits is written, all are read. */
export type Forms = readonly (readonly [SiteKind, string])[];

/** How an index is spelled in place of its field's braces. */
export interface Spelling {
  /** a pattern with one group per form an index can take */
  readonly pattern: string;
  readonly print: (index: Index) => string | null;
}

const NUMBER = '0|[1-9]\\d*';
/** Numbers alone; a wildcard is written by a template without the field. */
export const PLAIN: Spelling = { pattern: `(${NUMBER})`, print: (index) => (index === '*' ? null : `${index}`) };
/** A prefix (where `lenient`, it can be left out when reading) and a number, or a bare `*`. */
export const withWildcard = (prefix: string, { lenient = false } = {}): Spelling => ({
  pattern: `(?:${lenient ? `(?:${prefix})?` : prefix}(${NUMBER})|\\*)`,
  print: (index) => (index === '*' ? '*' : `${prefix}${index}`),
});

export const fieldsOf = (template: string): Field[] =>
  [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as Field);

export interface FormTable {
  /** null when the text is no name of this table */
  readonly read: (text: string) => Site | null;
  /** null when this table has no name for the site */
  readonly write: (site: Site) => string | null;
}

/**
 * Compiles a table. `fields` says which fields each kind has (a template without one of them stands for `*` there);
 * `spelling` how each field is spelled.
 */
export const compileForms = (
  forms: Forms,
  fields: (kind: SiteKind) => readonly Field[],
  spelling: Readonly<Record<Field, Spelling>>,
): FormTable => {
  const rows = forms.map(([kind, template]) => {
    const escaped = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    const pattern = escaped.replace(/\{(\w+)\}/g, (_, name: string) => spelling[name as Field].pattern);
    return { kind, template, present: fieldsOf(template), pattern: new RegExp(`^${pattern}$`) };
  });

  const read = (text: string): Site | null => {
    for (const { kind, present, pattern } of rows) {
      const match = pattern.exec(text);
      if (match === null) continue;
      const found = fields(kind).map((field): [Field, Index] => {
        const digits = present.includes(field) ? match[1 + present.indexOf(field)] : undefined;
        return [field, digits === undefined ? '*' : Number(digits)];
      });
      return { kind, ...Object.fromEntries(found) };
    }
    return null;
  };

  const write = (site: Site): string | null => {
    for (const { kind, template, present } of rows) {
      const fits = fields(kind).every((field) => present.includes(field) || site[field] === '*');
      if (kind !== site.kind || !fits) continue;
      const parts = present.map((field) => spelling[field].print(site[field]!));
      if (parts.includes(null)) continue;
      return present.reduce((text, field, i) => text.replace(`{${field}}`, () => parts[i]!), template);
    }
    return null;
  };
  return { read, write };
};
