/** Which positions `thevenin discover` tells apart, and what is kept of every pair. */
import { columnsOf, type PositionGroups } from '../../engine/model-run/groups.js';
import { withElsewhere } from '../../attribution/edges/resolution.js';
import { METHODS, type EdgeMethod } from '../../attribution/edges/index.js';
import { mebibytes } from '../../engine/core/fit.js';
import { refuse } from '../../errors.js';
import { PLACES, sharedSpans } from '../../text/divide.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { DiscoverRequest } from './request.js';
import type { Workbench } from '../workbench.js';

const BYTES = 4;

/**
 * The groups of positions asked for; undefined: none are told apart.
 * @throws TheveninError discovery/resolution: the method cannot; interventions/positions: the prompts cannot be divided so
 */
export function openGroups(
  { model: { tokenizer } }: Workbench,
  { examples }: CheckedTask,
  { method, asked }: { method: EdgeMethod; asked: DiscoverRequest },
): PositionGroups | undefined {
  const { resolution, spans } = asked;
  if (resolution === 'all') {
    if (spans) refuse('cli/usage', '--spans goes with --resolution span');
    return undefined;
  }
  if (!method.resolves)
    refuse(
      'discovery/resolution',
      `${method.key} does not tell positions apart; methods that do: ${METHODS.filter(({ resolves }) => resolves)
        .map(({ key }) => key)
        .join(', ')}`,
    );
  const tokenText = tokenizer ? (id: number) => tokenizer.tokenText(id) : undefined;
  const shared = sharedSpans(examples);
  const named = spans ?? (shared.length === 0 ? undefined : shared);
  const { axis, positions } = PLACES[resolution](examples, { spans: named, tokenText });
  const groups = {
    names: axis?.labels ?? [],
    positions: (example: Example) => positions(example).map((one) => one ?? []),
  };
  return withElsewhere(groups, examples);
}

/**
 * Bytes of the scores that are kept of every pair beside each edge's mean, to be told before they are computed.
 * @throws TheveninError discovery/per-example: the method has none; discovery/memory: they do not fit
 */
export function keptBytes(
  { engine }: Workbench,
  of: { method: EdgeMethod; asked: DiscoverRequest; examples: number; groups: PositionGroups | undefined },
): number {
  const { method, asked, examples, groups } = of;
  if (!asked.perExample) return 0;
  if (method.joint)
    refuse(
      'discovery/per-example',
      `${method.key} finds one answer for all pairs, so that no pair has scores of its own; leave out --per-example`,
    );
  const bytes = BYTES * examples * engine.universe.edgeCount * columnsOf(groups);
  const { memoryBytes } = engine.options;
  if (bytes > memoryBytes)
    refuse(
      'discovery/memory',
      `the scores of ${examples} pairs${groups ? ` in ${groups.names.length} groups of positions` : ''} need ${mebibytes(bytes)} of ${mebibytes(memoryBytes)}; use fewer pairs (--examples), coarser positions (--resolution), more memory (--memory), or leave out --per-example`,
    );
  return bytes;
}
