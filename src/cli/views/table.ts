/** Tables and colour, for commands' output; imported by actions only. */
import Table from 'cli-table3';
import pc from 'picocolors';

const BARE = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
}; // prettier-ignore

/** Rows under a dim heading, columns aligned, no frame, no trailing blanks. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const grid = new Table({ chars: BARE, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
  grid.push(
    head.map((title) => pc.dim(title)),
    ...rows.map((row) => [...row]),
  );
  return grid.toString().replace(/[ \t]+$/gm, '');
};

export const good = (text: string): string => pc.green(text);
export const bad = (text: string): string => pc.red(text);
