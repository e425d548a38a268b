import { bucketSql } from './bucket-sql.ts';
import type { Words } from './words.ts';

/** The metric that counts samples. */
export const TALLY = 0;
/** In place of an agent where all are taken together. */
export const ALL_AGENTS = 0;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

const KEYS = 'at_ms, endpoint, agent, kind, verdict, metric';
/** Columns of a roll-up; rows of the same keys add up. */
export const ROLLUP = `${KEYS}, n, total, low, high, cells`;
const PART = `${KEYS}, b, n, total, low, high`;

const pointSql = (widthMs: number) => `floor(at_ms / ${widthMs}) * ${widthMs}`;

/** Raw samples as parts: one row per point, series, metric and bucket. */
export function partsOfSamples(widthMs: number, where: string, metrics: readonly string[], words: Words): string {
  const keys = `${pointSql(widthMs)} AS at_ms, endpoint, agent, kind, verdict`;
  const values = metrics.map((metric) => {
    const value = `"${metric}"`;
    return `SELECT ${keys}, ${words.find('metric', metric) ?? -1} AS metric, ${bucketSql(value)} AS b,
      count(*) AS n, sum(${value}) AS total, min(${value}) AS low, max(${value}) AS high
      FROM samples WHERE ${where} AND ${value} IS NOT NULL GROUP BY ALL`;
  });
  const tally = `SELECT ${keys}, ${TALLY} AS metric, 0 AS b, count(*) AS n, NULL AS total, NULL AS low, NULL AS high
    FROM samples WHERE ${where} GROUP BY ALL`;
  return [tally, ...values].join(' UNION ALL ');
}

/** Rows of a roll-up as parts again: their cells, and once for each row what is not told by cell. */
export function partsOfRollup(table: string, where: string): string {
  return `SELECT ${KEYS}, cell.b AS b, cell.n AS n, NULL AS total, NULL AS low, NULL AS high
      FROM (SELECT ${KEYS}, unnest(cells) AS cell FROM ${table} WHERE ${where})
    UNION ALL SELECT ${KEYS}, NULL AS b, 0 AS n, total, low, high FROM ${table} WHERE ${where}`;
}

/** Parts moved to wider points, all agents as one where that is wanted. */
export function widened(parts: string, widthMs: number, perAgent: boolean): string {
  const agent = perAgent ? 'agent' : `${ALL_AGENTS} AS agent`;
  return `SELECT ${pointSql(widthMs)} AS at_ms, endpoint, ${agent}, kind, verdict, metric, b, n, total, low, high FROM ${parts}`;
}

/** Parts as rows of a roll-up, one for each key. */
export function gathered(parts: string): string {
  return `SELECT ${KEYS}, sum(n)::BIGINT AS n, sum(total) AS total, min(low) AS low, max(high) AS high,
      list({'b': b, 'n': n::INTEGER} ORDER BY b) FILTER (b IS NOT NULL) AS cells
    FROM (SELECT ${KEYS}, b, sum(n) AS n, sum(total) AS total, min(low) AS low, max(high) AS high
      FROM (SELECT ${PART} FROM (${parts})) GROUP BY ${KEYS}, b)
    GROUP BY ${KEYS}`;
}
