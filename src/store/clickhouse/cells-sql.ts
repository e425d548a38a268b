import { bucketSql } from './bucket-sql.ts';
import { quoted } from './sql.ts';

/** In place of a metric: rows that count samples. */
export const TALLY = '';
/** In place of an agent where all are taken together. */
export const ALL_AGENTS = '';

export const pointSql = (column: string, widthMs: number) => `floor(${column} / ${widthMs}) * ${widthMs}`;

/** Columns of a roll-up without its number; rows of the same keys add up. */
export const KEYS = 'at_ms, kind, endpoint, agent, verdict, metric';
export const ROLLUP = `${KEYS}, n, total, low, high, buckets, counts`;

/**
 * Samples as rows of a roll-up, one for each point, series, verdict and metric, and one that counts them. FINAL: what is
 * stored twice counts once.
 */
export function rolledSamples(table: string, where: string, metrics: readonly string[], widthMs: number): string {
  const names = [TALLY, ...metrics].map(quoted).join(', ');
  const values = ['toFloat64(0)', ...metrics.map((metric) => `\`${metric}\``)].join(', ');
  const series = 'kind, endpoint, agent, verdict, metric';
  const cells = `SELECT ${pointSql('at_ms', widthMs)} AS point, ${series}, ${bucketSql('value')} AS bucket,
      count() AS cell, sum(value) AS cell_total, min(value) AS cell_low, max(value) AS cell_high
    FROM ${table} FINAL ARRAY JOIN [${names}] AS metric, [${values}] AS value
    WHERE ${where} AND NOT isNaN(value) GROUP BY point, ${series}, bucket`;
  return `SELECT point AS at_ms, ${series}, sum(cell) AS n, sum(cell_total) AS total, min(cell_low) AS low, max(cell_high) AS high,
      groupArray(bucket) AS buckets, groupArray(toUInt32(cell)) AS counts
    FROM (${cells}) GROUP BY point, ${series}`;
}

/** Rows of a roll-up as rows of a wider one, or of one over all agents. */
export function widened(table: string, where: string, widthMs: number, perAgent: boolean): string {
  const series = `kind, endpoint, ${perAgent ? 'agent' : ''}`.replace(/, $/, '');
  return `SELECT point AS at_ms, kind, endpoint, ${perAgent ? 'agent' : `${quoted(ALL_AGENTS)} AS agent`}, verdict, metric,
      sum_n AS n, sum_total AS total, min_low AS low, max_high AS high,
      cells.1 AS buckets, arrayMap(x -> toUInt32(x), cells.2) AS counts
    FROM (SELECT ${pointSql('at_ms', widthMs)} AS point, ${series}, verdict, metric, sum(n) AS sum_n, sum(total) AS sum_total,
        min(low) AS min_low, max(high) AS max_high, sumMap(buckets, counts) AS cells
      FROM ${table} WHERE ${where} GROUP BY point, ${series}, verdict, metric)`;
}
