/**
 * Dimensions of symbolic tensors: a number, or a polynomial in named dims such as `batch`, `batch*pos`, `prefix+pos`,
 * always in one canonical spelling, so that two dims are equal exactly when they are `===`.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];
/** What the named dims are at run time. */
export type Bindings = Readonly<Record<string, number>>;

/** monomial (names joined by `*`, sorted; '' for the constant) → integer coefficient */
type Polynomial = Map<string, number>;

function parse(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]]);
  const polynomial: Polynomial = new Map();
  for (const term of dim.split('+')) {
    const factors = term.split('*');
    const coefficient = factors.filter(isNumber).reduce((product, factor) => product * Number(factor), 1);
    const names = factors.filter((factor) => !isNumber(factor)).sort();
    addTerm(polynomial, names.join('*'), coefficient);
  }
  return polynomial;
}

const isNumber = (text: string): boolean => /^-?\d+$/.test(text);

function addTerm(polynomial: Polynomial, monomial: string, coefficient: number): void {
  const sum = (polynomial.get(monomial) ?? 0) + coefficient;
  if (sum === 0) polynomial.delete(monomial);
  else polynomial.set(monomial, sum);
}

function print(polynomial: Polynomial): Dim {
  const constant = polynomial.get('') ?? 0;
  const terms = [...polynomial].filter(([monomial]) => monomial !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  if (terms.length === 0) return constant;
  const texts = terms.map(([monomial, coefficient]) => (coefficient === 1 ? monomial : `${coefficient}*${monomial}`));
  return [...texts, ...(constant === 0 ? [] : [`${constant}`])].join('+');
}

/** The dim of a concatenation. */
export function addDims(...dims: readonly Dim[]): Dim {
  const sum: Polynomial = new Map();
  for (const dim of dims) for (const [monomial, coefficient] of parse(dim)) addTerm(sum, monomial, coefficient);
  return print(sum);
}

/** The one spelling of a dim that was written by hand: `prefix+pos` becomes `pos+prefix`. */
export const canonicalDim = (dim: Dim): Dim => addDims(dim);
export const canonicalShape = (shape: Shape): Shape => shape.map(canonicalDim);

/** The dim of flattened axes. */
export function multiplyDims(...dims: readonly Dim[]): Dim {
  let product: Polynomial = new Map([['', 1]]);
  for (const dim of dims) {
    const next: Polynomial = new Map();
    for (const [left, a] of product)
      for (const [right, b] of parse(dim)) {
        const names = [...left.split('*'), ...right.split('*')].filter((name) => name !== '').sort();
        addTerm(next, names.join('*'), a * b);
      }
    product = next;
  }
  return print(product);
}

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(-1, b));

/** The names a dim depends on. */
export const dimNames = (dim: Dim): string[] =>
  typeof dim === 'number' ? [] : [...new Set(dim.split(/[*+]/).filter((factor) => !isNumber(factor)))];

/** The number a dim stands for; every name must be bound. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim;
  let sum = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const names = monomial === '' ? [] : monomial.split('*');
    sum += names.reduce((product, name) => product * bound(name, bindings), coefficient);
  }
  return sum;
}

function bound(name: string, bindings: Bindings): number {
  const value = bindings[name];
  if (value === undefined) throw new Error(`program: the dim ${name} is not bound by any input`);
  return value;
}

export const evaluateShape = (shape: Shape, bindings: Bindings): number[] =>
  shape.map((dim) => evaluateDim(dim, bindings));

export const printShape = (shape: Shape): string => `[${shape.join(', ')}]`;
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);

/**
 * Numpy's broadcasting. Named dims broadcast only with themselves and with 1.
 * @returns null when the shapes do not fit.
 */
export function broadcastShapes(a: Shape, b: Shape): Dim[] | null {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return null;
    result.push(left === 1 ? right : left);
  }
  return result;
}

/** Binds the named dims of `shape` from the sizes an input really has; dims that are polynomials are checked by the caller. */
export function bindShape(shape: Shape, sizes: readonly number[], bindings: Record<string, number>): boolean {
  if (shape.length !== sizes.length) return false;
  return shape.every((dim, i) => {
    const size = sizes[i] ?? -1;
    if (typeof dim === 'number') return dim === size;
    if (!/^[A-Za-z]\w*$/.test(dim)) return true;
    if (bindings[dim] === undefined) bindings[dim] = size;
    return bindings[dim] === size;
  });
}
