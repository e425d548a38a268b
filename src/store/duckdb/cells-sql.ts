import { bucketSql } from './bucket-sql.ts';
import type { Words } from './words.ts';

/** Counts of samples, in a table of metrics. */
export const TALLY = 0;

const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
export const hourMs = HOUR_MS;

/** Rows of roll-ups: (at_ms, endpoint, agent, kind, verdict, metric, n, total, low, high, cells), each a part that adds to others. */
export const CELLS = 'at_ms, endpoint, agent, kind, verdict, metric, n, total, low, high, cells';

const point = (widthMs: number) => `floor(at_ms / ${widthMs}) * ${widthMs}`;
const keys = (widthMs: number) => `${point(widthMs)} AS at_ms, endpoint, agent, kind, verdict`;

/** Rolls raw samples that match `where` up to points of `widthMs`. */
export function cellsOfSamples(widthMs: number, where: string, metrics: readonly string[], words: Words): string {
  const parts = metrics.map((metric) => {
    const value = `"${metric}"`;
    return `SELECT ${keys(widthMs)}, ${words.find('metric', metric) ?? -1} AS metric, ${bucketSql(value)} AS b,
      count(*) AS n, sum(${value}) AS total, min(${value}) AS low, max(${value}) AS high
      FROM samples WHERE ${where} AND ${value} IS NOT NULL GROUP BY ALL`;
  });
  const tally = `SELECT ${keys(widthMs)}, ${TALLY} AS metric, 0 AS b,
    count(*) AS n, NULL AS total, NULL AS low, NULL AS high FROM samples WHERE ${where} GROUP BY ALL`;
  return gathered([tally, ...parts].join(' UNION ALL '));
}

/** Rolls rows of a finer roll-up up to points of `widthMs`. */
export function cellsOfCells(table: string, widthMs: number, where: string): string {
  const source = `SELECT ${keys(widthMs)}, metric, n, total, low, high, cells FROM ${table} WHERE ${where}`;
  const sums = `SELECT at_ms, endpoint, agent, kind, verdict, metric, sum(n) AS n, sum(total) AS total, min(low) AS low, max(high) AS high
    FROM source GROUP BY ALL`;
  const counts = `SELECT at_ms, endpoint, agent, kind, verdict, metric, list({'b': b, 'n': n::INTEGER}) AS cells
    FROM (SELECT at_ms, endpoint, agent, kind, verdict, metric, cell.b AS b, sum(cell.n) AS n
      FROM (SELECT at_ms, endpoint, agent, kind, verdict, metric, unnest(cells) AS cell FROM source) GROUP BY ALL)
    GROUP BY ALL`;
  return `(WITH source AS (${source}) SELECT ${CELLS} FROM (${sums}) JOIN (${counts})
    USING (at_ms, endpoint, agent, kind, verdict, metric))`;
}

const gathered = (buckets: string) =>
  `(SELECT at_ms, endpoint, agent, kind, verdict, metric, sum(n)::BIGINT AS n, sum(total) AS total, min(low) AS low, max(high) AS high,
    list({'b': b, 'n': n::INTEGER}) AS cells FROM (${buckets}) GROUP BY at_ms, endpoint, agent, kind, verdict, metric)`;
