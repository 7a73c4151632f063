/** A patching record as the few lines that a terminal shows. */
import pc from 'picocolors';
import { number } from '../../report/format.js';
import { cellName, shown, shownName, strongestCells } from '../../report/records/patching.js';
import type { GridRecord, PatchingRecord } from '../../report/records/patching.js';
import { table } from './table.js';

const STRONGEST = 3;

const rowsOf = (record: PatchingRecord, grid: GridRecord): string[][] => {
  const values = shown(record, grid);
  return strongestCells(values, STRONGEST).map((cell, i) => [
    i === 0 ? grid.grid : '',
    cellName(grid.axes, cell),
    number(values[cell] as number, { signed: true }),
    number(grid.mean[cell] as number),
  ]);
};

/** @param written the files to name, most telling first */
export const describePatching = (record: PatchingRecord, written: readonly string[]): string => {
  const { task, model, direction, clean, corrupt, undefinedBecause } = record;
  const rows = record.grids.flatMap((grid) => rowsOf(record, grid));
  return [
    `${pc.bold(task.name)} on ${model.name}, ${task.pairs} pairs, ${direction}: ${task.metric} ${number(clean)} clean, ${number(corrupt)} corrupt`,
    ...(undefinedBecause === null ? [] : [`no recovery: ${undefinedBecause}`]),
    table(['grid', 'strongest cells', shownName(record), task.metric], rows),
    `written: ${written[0]}${written.length > 1 ? ` and ${written.length - 1} more` : ''}`,
  ].join('\n');
};
