/** From the words of a command line to an exit code. */
import { Command } from 'commander';
import { packageVersion } from '../package.js';
import { printableOutput } from '../printable.js';
import { optionsOf, toParser } from './command.js';
import type { CliCommand } from './command.js';
import { COMMANDS } from './commands/index.js';
import { asTheveninError, describeFailure } from './failure.js';
import { listenForInterrupt } from './interrupt.js';
import { createProgressView, isWatched } from './progress.js';
import type { ProgressListener } from '../progress.js';

const EXAMPLES = `
Examples:
  thevenin demo                                             the bundled models' circuits, in a minute
  thevenin discover --task ioi --model models/ioi --method eap-ig --edges 200 --out reports/my-run
  thevenin predict "When Mary and John went to the store, John gave a drink to" --model models/ioi
  thevenin validate my-task.json --model models/ioi
`;

type OnDeaf = Parameters<typeof listenForInterrupt>[0];

/** Runs one command with a progress view and Ctrl-C of its own. */
const start = async (command: CliCommand, parsed: Command, onDeaf: OnDeaf): Promise<void> => {
  let advice: string | undefined;
  const interrupt = listenForInterrupt(onDeaf, () => advice);
  const progress = await createProgressView(process.stderr, isWatched(process.stderr, process.env));
  const print = (text: string): void => void process.stdout.write(`${printableOutput(text)}\n`);
  try {
    const given = parsed.processedArgs as (string | undefined)[];
    const { verbose: _, ...options } = parsed.opts<Record<string, unknown>>();
    const onProgress: ProgressListener = (event) => {
      advice = event.ifStopped;
      progress.listener(event);
    };
    await command.run({ signal: interrupt.signal, onProgress, print }, given, options);
    interrupt.signal.throwIfAborted();
  } catch (error) {
    throw interrupt.signal.aborted ? interrupt.signal.reason : error;
  } finally {
    progress.close();
    interrupt.release();
  }
};

const isHelp = (thrown: unknown): boolean => (thrown as { exitCode?: unknown }).exitCode === 0;

/** Commander's own errors are thrown, not printed: the shell has one way to report a failure. */
const thrownNotPrinted = (parser: Command): Command =>
  parser
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError(true);

/** @param words of the command line: only the commands that they name need the options that are loaded */
const createProgram = async (words: readonly string[], onDeaf: OnDeaf): Promise<Command> => {
  const program = thrownNotPrinted(new Command('thevenin'))
    .description(
      'Causal circuit discovery for transformer language models: the smallest subgraph that still does the task.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--verbose', 'print the stack of an error')
    .addHelpText('after', EXAMPLES);
  for (const command of COMMANDS) {
    const asked = [command.name, ...command.aliases].some((name) => words.includes(name));
    const options = asked ? await optionsOf(command) : command.options;
    const parser = toParser(command, options, (asked, parsed) => start(asked, parsed, onDeaf));
    program.addCommand(thrownNotPrinted(parser.option('--verbose', 'print the stack of an error')));
  }
  return program;
};

/**
 * @param words the command line without node and script
 * @returns 0 done, 2 the input is at fault, 1 the program or the machine is, 130 interrupted
 */
export const runCommandLine = async (words: readonly string[]): Promise<number> => {
  const report = (thrown: unknown): number => {
    const error = asTheveninError(thrown);
    process.stderr.write(`${describeFailure(error, words.includes('--verbose'))}\n`);
    return error.exit;
  };
  try {
    const program = await createProgram(words, (reason) => process.exit(report(reason)));
    await program.parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' });
    return 0;
  } catch (thrown) {
    return isHelp(thrown) ? 0 : report(thrown);
  }
};
