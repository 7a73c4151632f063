/**
 * The one catalogue of error codes. Everything a user can do wrong, and every fault of the machine, has a stable code here;
 * `docs/errors.md` is generated from it.
 *
 * `exit` is the process's exit code: 2 = the input is at fault, 1 = the program or the machine is, 130 = interrupted.
 */
export const CATALOGUE = {
  'attribution/gradient': {
    exit: 2,
    summary: 'The metric has no gradient at the prompts whose tokens it should be attributed to.',
  },
  'attribution/method': { exit: 2, summary: 'No method that attributes to tokens has that name.' },
  'attribution/option': {
    exit: 2,
    summary: 'The chosen method has no such option, or its value is out of range.',
  },
  'attribution/spans': {
    exit: 2,
    summary: 'Spans that should be compared are absent from some prompts, or overlap.',
  },
  'circuit/address': {
    exit: 2,
    summary: 'A name of a node, edge, path or position does not follow the address grammar.',
  },
  'circuit/architecture': {
    exit: 2,
    summary: 'Two circuits, or a circuit and a model, are of different architectures.',
  },
  'circuit/exchange': { exit: 2, summary: 'A circuit file is not in the exchange format, or is of another model.' },
  'circuit/layout': { exit: 2, summary: 'A layout is unknown.' },
  'circuit/reference': { exit: 2, summary: 'A reference circuit is unknown, malformed, or does not fit the model.' },
  'circuit/scores': { exit: 2, summary: 'Scores are not one finite number for each edge of the model.' },
  'circuit/selection': { exit: 2, summary: 'A selection rule is unknown, or what it was asked for makes no sense.' },
  'cli/usage': { exit: 2, summary: 'A command, option or value is not one that the command line knows.' },
  'cli/interrupted': { exit: 130, summary: 'The run was stopped with Ctrl-C; files already complete are kept.' },
  'discovery/gradient': {
    exit: 2,
    summary: 'The metric has no gradient at the only point where the method takes it.',
  },
  'discovery/incapable': {
    exit: 2,
    summary: 'The model does not do the task: the clean and corrupt prompts do not differ reliably in the metric.',
  },
  'discovery/journal': { exit: 2, summary: 'A journal of exact effects is damaged, or of another run.' },
  'discovery/memory': {
    exit: 2,
    summary: 'A method that holds the whole model at once would exceed the ceiling of memory.',
  },
  'discovery/method': { exit: 2, summary: 'No discovery method has that name.' },
  'discovery/neurons': {
    exit: 2,
    summary: 'Neurons were asked of a method, a source or a model that has none to tell.',
  },
  'discovery/per-example': { exit: 2, summary: 'Scores of every pair were asked of a method that has none.' },
  'discovery/resolution': { exit: 2, summary: 'Positions were asked of a method that does not tell them apart.' },
  'discovery/search': { exit: 2, summary: 'A search was given a threshold or an order that makes no sense.' },
  'discovery/source': {
    exit: 2,
    summary:
      'An ablation source is unknown, or needs what is not there: reference prompts of a length or a template, patterns.',
  },
  'discovery/steps': { exit: 2, summary: 'The integration rule is not defined for so few points.' },
  'engine/overflow': {
    exit: 2,
    summary:
      'What a model computes is beyond what float32 can hold: its weights, or what was added to its activations.',
  },
  'evaluation/samples': {
    exit: 2,
    summary: 'Random subsets are too few, or drawn so seldom or so often, that they can bound nothing.',
  },
  'file/exists': {
    exit: 2,
    summary: 'A folder that should be written to holds a run already, or files of the same names that no run wrote.',
  },
  'file/in-use': { exit: 2, summary: 'Another process is writing to the same folder or journal.' },
  'file/missing': { exit: 2, summary: 'A file or folder that was named does not exist.' },
  'file/unreadable': {
    exit: 2,
    summary: 'A file exists but cannot be read (permission, or it is not a regular file).',
  },
  'file/unwritable': {
    exit: 1,
    summary: 'A result cannot be written: no permission, no such folder, or the disk is full.',
  },
  'interventions/estimator': {
    exit: 2,
    summary: 'No method that attributes to nodes has that name, or its gradient is zero by definition.',
  },
  'interventions/feature': {
    exit: 2,
    summary: 'A hypothesis makes something depend on what no two prompts share, so that nothing can be exchanged.',
  },
  'interventions/grid': {
    exit: 2,
    summary: 'A grid of activation patching is unknown, or the model has no such site or layer.',
  },
  'interventions/hypothesis': {
    exit: 2,
    summary:
      'A hypothesis is not in its format, names what the model has not, or has a node read what is not upstream of it.',
  },
  'interventions/knockout': {
    exit: 2,
    summary: 'Attention cannot be knocked out as asked: no such heads, or queries left without keys.',
  },
  'interventions/noise': {
    exit: 2,
    summary: 'Noise of scale zero corrupts nothing, or no prompt is left to be corrupted.',
  },
  'interventions/path': {
    exit: 2,
    summary: 'A path leads nowhere: it goes downwards, or names a head, MLP or layer that the model does not have.',
  },
  'interventions/positions': {
    exit: 2,
    summary: 'Prompts cannot be divided as asked: unequal lengths, or a span that some of them lack.',
  },
  'interventions/sampling': {
    exit: 2,
    summary:
      'Continuations cannot be drawn as asked: a temperature or number that makes no sense, or a model that cannot write on.',
  },
  'interventions/steering': {
    exit: 2,
    summary:
      'A model cannot be steered as asked: no such site, no contrast between the prompts, or positions beyond a prompt.',
  },
  'model/architecture': { exit: 2, summary: 'The model is of an architecture that Thevenin does not know.' },
  'model/config': {
    exit: 2,
    summary: 'A model setting is missing, contradictory, or asks for arithmetic that Thevenin does not have.',
  },
  'model/post-norm': {
    exit: 2,
    summary: 'What was asked has no exact answer in a model that norms what attention and MLPs write.',
  },
  'model/tokenizer': { exit: 2, summary: 'A tokenizer is malformed or of a kind that is not supported.' },
  'model/unrecognised': { exit: 2, summary: 'A path holds no model in any of the known formats.' },
  'model/vocabulary': {
    exit: 2,
    summary: "Tokenizer and weights disagree: the tokenizer has ids beyond the model's vocabulary.",
  },
  'report/npy': {
    exit: 2,
    summary: 'A data file beside a report is damaged, or of a kind that Thevenin does not write.',
  },
  'report/differs': { exit: 1, summary: 'A run that was run again does not give what its record says.' },
  'report/record': {
    exit: 2,
    summary: 'There is no record of a run, it does not fit its schema, or files beside it are not those it names.',
  },
  'report/request': { exit: 2, summary: 'A record does not hold what was asked, so that it cannot be asked again.' },
  'runtime/device': {
    exit: 1,
    summary: 'The graphics device reported an error while it computed; the numbers of that run are not returned.',
  },
  'runtime/unavailable': {
    exit: 2,
    summary: 'A runtime that was asked for cannot be used here: a package is absent or broken, or the device is.',
  },
  'runtime/unknown': { exit: 2, summary: 'No runtime has that name.' },
  'tokenizer/id': { exit: 2, summary: 'A token id is outside the vocabulary.' },
  'tokenizer/text': { exit: 2, summary: "A text cannot be written with the model's vocabulary." },
  'weights/malformed': {
    exit: 2,
    summary:
      'A weight file is not what its format demands: damaged, cut short, or a header that lies about offsets or sizes.',
  },
  'weights/missing': { exit: 2, summary: 'A weight that the model needs is in none of its files.' },
  'weights/non-finite': { exit: 2, summary: 'A weight is NaN or infinite.' },
  'weights/shape': { exit: 2, summary: "A stored weight has another shape than the model's config says." },
  'weights/type': { exit: 2, summary: 'A weight is stored in a number format or quantisation that cannot be read.' },
  'weights/unexpected': { exit: 2, summary: 'A file holds a weight for which the architecture has no place.' },
  'fault/internal': { exit: 1, summary: 'A bug in Thevenin: please report it with the output of --verbose.' },
  'task/schema': {
    exit: 2,
    summary: 'A task file has an unknown field, lacks one, or a value is not of the kind expected there.',
  },
  'task/json': { exit: 2, summary: 'A task or data file is not well-formed JSON, JSON Lines or CSV.' },
  'task/unknown': { exit: 2, summary: 'No shipped task, generator or importer has that name.' },
  'task/faulty': {
    exit: 2,
    summary: 'The linter found errors in a task: unequal lengths, answers of several tokens, wrong spans and the like.',
  },
  'task/generator': { exit: 2, summary: 'A generator cannot make pairs for this model, or does not know an option.' },
  'task/import': {
    exit: 2,
    summary: 'A data file is not in the format that the importer reads, or no row of it can be used.',
  },
} as const satisfies Record<string, { exit: 1 | 2 | 130; summary: string }>;

export type ErrorCode = keyof typeof CATALOGUE;

/** One line for a user: what is wrong, where, what was expected, what to do. */
export class TheveninError extends Error {
  readonly code: ErrorCode;
  readonly exit: 1 | 2 | 130;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(oneLine(message), options);
    this.name = 'TheveninError';
    this.code = code;
    this.exit = CATALOGUE[code].exit;
  }
}

/** Names in a message may come from a damaged file: control characters become spaces, absurd lengths are cut. */
const oneLine = (message: string): string => {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  const line = message.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > 1000 ? `${line.slice(0, 997)}...` : line;
};

/** Throws a {@link TheveninError}; reads as a statement at the place where the input is refused. */
export const refuse = (code: ErrorCode, message: string, cause?: unknown): never => {
  throw new TheveninError(code, message, cause === undefined ? undefined : { cause });
};

/** Holds an invariant of our own; a failure is a bug, never the user's fault. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TheveninError('fault/internal', message);
}
