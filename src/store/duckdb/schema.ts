import { sampleMetrics } from '../../model/sample.ts';
import { levels } from './roll.ts';

/** Version of the tables; a newer one is not touched. */
export const SCHEMA_VERSION = 2;

const metricColumns = sampleMetrics.map((metric) => `"${metric}" DOUBLE`).join(', ');
const series = 'at_ms DOUBLE, endpoint INTEGER, agent INTEGER, kind UTINYINT';
const rollup = `${series}, verdict UTINYINT, metric UTINYINT, n BIGINT, total DOUBLE, low DOUBLE, high DOUBLE, cells STRUCT(b INTEGER, n INTEGER)[]`;

/**
 * Rows have no index: they come in order of time, and the engine skips row groups by the least and greatest value of each
 * column. `batch` rises with every append, so that "what came since" is a range of it, whatever times it speaks of.
 *
 * Roll-ups hold sums of parts: several rows may speak of the same minute, and what is late adds one more. metric 0 counts
 * samples; others count values, `cells` by bucket. `progress` says up to which batch raw samples are in the minutes, and up to which
 * time minutes are in the hours; what came since is in memory (fresh.ts).
 */
export const schema = [
  'CREATE TABLE IF NOT EXISTS facts(name VARCHAR, value DOUBLE)',
  // Words for numbers: names of agents, endpoints, kinds, outcomes and metrics.
  'CREATE TABLE IF NOT EXISTS words(dictionary VARCHAR, id INTEGER, word VARCHAR)',
  'CREATE TABLE IF NOT EXISTS batches(no BIGINT, hash DOUBLE, key VARCHAR, agent INTEGER, count INTEGER, received_ms DOUBLE)',
  `CREATE TABLE IF NOT EXISTS samples(batch BIGINT, row INTEGER, ${series}, outcome UTINYINT, verdict UTINYINT, state VARCHAR, detail VARCHAR, ${metricColumns})`,
  ...levels.map(({ table }) => `CREATE TABLE IF NOT EXISTS ${table}(${rollup})`),
  // The last state of each series in each hour: what a change is a change from.
  `CREATE TABLE IF NOT EXISTS last_states(${series}, last_ms DOUBLE, state VARCHAR)`,
  'CREATE TABLE IF NOT EXISTS progress(batch BIGINT, hours_to_ms DOUBLE, edition DOUBLE)',
];

/** From version 1, whose hours held the open one, too. */
export const upgrade = [
  `ALTER TABLE progress ADD COLUMN IF NOT EXISTS hours_to_ms DOUBLE DEFAULT ${-Number.MAX_VALUE}`,
  'ALTER TABLE progress ADD COLUMN IF NOT EXISTS edition DOUBLE DEFAULT 0',
  `UPDATE progress SET hours_to_ms = (SELECT coalesce(max(at_ms), ${-Number.MAX_VALUE}) FROM hours)`,
  'DELETE FROM hours WHERE at_ms >= (SELECT hours_to_ms FROM progress)',
  'DELETE FROM hours_all WHERE at_ms >= (SELECT hours_to_ms FROM progress)',
  `UPDATE facts SET value = ${SCHEMA_VERSION} WHERE name = 'schema'`,
];
