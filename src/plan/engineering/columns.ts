import type { Milp } from '../milp/milp.ts';
import type { Problem } from './problem.ts';
import type { TreeFlow } from './trees.ts';

/**
 * The master program of the decomposition by sources (Dantzig and Wolfe 1960): shares of trees, one whole per source, such that no
 * pool is filled beyond u, the last variable. Rows: one per source, then one per pool.
 */
export function masterProgram(trees: readonly { source: number; tree: TreeFlow }[], problem: Problem): Milp {
  const { pool, capacity, sources } = problem;
  const [columns, rows] = [trees.length, sources.length + capacity.length];
  const [entryRow, entryColumn, entryValue]: [number[], number[], number[]] = [[], [], []];
  const push = (row: number, column: number, value: number) => {
    entryRow.push(row);
    entryColumn.push(column);
    entryValue.push(value);
  };
  const sum = new Float64Array(capacity.length);
  trees.forEach(({ source, tree: { arcs, loads } }, column) => {
    push(source, column, 1);
    // Two arcs of a tree may share a pool.
    for (let i = 0; i < arcs.length; i++) sum[pool[arcs[i]!]!]! += loads[i]! / capacity[pool[arcs[i]!]!]!;
    for (const arc of arcs) {
      const p = pool[arc]!;
      if (sum[p] !== 0) push(sources.length + p, column, sum[p]!);
      sum[p] = 0;
    }
  });
  for (let p = 0; p < capacity.length; p++) push(sources.length + p, columns, -1);
  const isSource = (row: number) => row < sources.length;
  return {
    sense: 'minimise',
    cost: new Float64Array(columns + 1).fill(1, columns),
    lower: new Float64Array(columns + 1),
    upper: new Float64Array(columns + 1).fill(Infinity),
    rowLower: new Float64Array(rows).map((_, row) => (isSource(row) ? 1 : -Infinity)),
    rowUpper: new Float64Array(rows).map((_, row) => (isSource(row) ? 1 : 0)),
    ...byRow(rows, entryRow, entryColumn, entryValue),
  };
}

/** Entries in any order as compressed rows. */
function byRow(
  rows: number,
  entryRow: readonly number[],
  entryColumn: readonly number[],
  entryValue: readonly number[],
): Pick<Milp, 'starts' | 'indices' | 'values'> {
  const starts = new Int32Array(rows + 1);
  for (const row of entryRow) starts[row + 1]!++;
  for (let r = 0; r < rows; r++) starts[r + 1]! += starts[r]!;
  const place = starts.slice(0, rows);
  const [indices, values] = [new Int32Array(entryRow.length), new Float64Array(entryRow.length)];
  for (let i = 0; i < entryRow.length; i++) {
    const at = place[entryRow[i]!]!++;
    indices[at] = entryColumn[i]!;
    values[at] = entryValue[i]!;
  }
  return { starts, indices, values };
}
