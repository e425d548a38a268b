import { sampleMetrics } from '../../model/sample.ts';
import type { Server } from './server.ts';
import { listOf, quoted } from './sql.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const WEEK_MS = 7 * DAY_MS;

/** Rows of `samples` are sorted by slices of time first, so that what came lately is a few granules and not a scan of the day. */
export const SLICE_MS = 600_000;
const SLICES_PER_DAY = DAY_MS / SLICE_MS;

interface Table {
  name: string;
  columns: string;
  engine: 'MergeTree' | 'ReplacingMergeTree' | { replacing: string };
  /** Values of this are dropped together. */
  partition: string;
  order: string;
  /** Which shard a row belongs to. */
  shard: string;
  granularity?: number;
}

const metricColumns = sampleMetrics.map((metric) => `\`${metric}\` Float64 DEFAULT nan`).join(', ');
const series = 'kind String, endpoint String, agent String';
const rollup = `roll UInt32, at_ms Float64, ${series}, verdict UInt8, metric String, n UInt64, total Float64, low Float64, high Float64, buckets Array(Int16), counts Array(UInt32)`;
const rollupOrder = 'kind, metric, endpoint, agent, at_ms, verdict, roll';
const per = (widthMs: number) => (column: string) => `toInt32(floor(${column} / ${widthMs}))`;
const perDay = per(DAY_MS)('at_ms');
const perWeek = per(WEEK_MS);

/**
 * What a batch is stored in. A row of `samples` is known by its series, its time, and the hash and row number of its batch: what is
 * stored twice, after an answer that never came, is one row again when parts are merged, and for every reader before. All samples of
 * an agent are on one shard, so that copies meet, a batch stands or falls with one shard, and roll-ups are made where the samples are.
 *
 * Plain types only: servers as old as 18.16 know no others. A metric that a probe does not have is NaN, which costs nothing
 * compressed, where a Nullable would be one more file for each part.
 */
export const tables: readonly Table[] = [
  {
    name: 'samples',
    columns: `slice Int32, at_ms Float64, ${series}, batch UInt64, row UInt32, outcome String, verdict UInt8, state Nullable(String), detail Nullable(String), ${metricColumns}`,
    engine: 'ReplacingMergeTree',
    partition: `intDiv(slice, ${SLICES_PER_DAY})`,
    order: 'slice, kind, endpoint, agent, at_ms, batch, row',
    shard: 'cityHash64(agent)',
  },
  {
    // One row says that all samples of the batch are there; without it they are those of an attempt that failed.
    name: 'batches',
    columns: 'batch UInt64, key String, agent String, n UInt32, from_ms Float64, to_ms Float64, received_ms Float64',
    engine: 'ReplacingMergeTree',
    partition: perWeek('received_ms'),
    order: 'batch',
    shard: 'batch',
    // Keys are looked up one by one.
    granularity: 256,
  },
  {
    // Which batches are in which roll-up.
    name: 'picks',
    columns: 'roll UInt32, batch UInt64, n UInt32, from_ms Float64, to_ms Float64, received_ms Float64',
    engine: 'MergeTree',
    partition: perWeek('received_ms'),
    order: 'roll, batch',
    shard: 'batch',
  },
  ...(['minutes', 'minutes_all', 'hours', 'hours_all'] as const).map((name): Table => {
    return {
      name,
      columns: rollup,
      engine: 'MergeTree',
      partition: name.startsWith('minutes') ? perDay : perWeek('at_ms'),
      order: rollupOrder,
      shard: name.endsWith('_all') ? 'cityHash64(endpoint)' : 'cityHash64(agent)',
    };
  }),
  {
    // The last state of each series in each hour: what a change is a change from.
    name: 'states',
    columns: `at_ms Float64, ${series}, last_ms Float64, state String`,
    engine: { replacing: 'last_ms' },
    partition: perWeek('at_ms'),
    order: 'endpoint, agent, kind, at_ms',
    shard: 'cityHash64(agent)',
  },
];

/** Format of the tables; a newer one is not touched. */
export const SCHEMA_VERSION = 1;

/** Statements that lead from one format to the next; each may find its work done. */
const migrations: readonly ((server: Server) => string[])[] = [
  (server) => tables.flatMap((table) => createTable(server, table)),
];

const versions: Table = {
  name: 'formats',
  columns: 'version UInt32, applied_ms Float64',
  engine: { replacing: 'applied_ms' },
  partition: 'tuple()',
  order: 'version',
  // One shard is enough.
  shard: '0',
};

/**
 * Makes what is missing, on all nodes, and refuses a format that is newer than this program. Statements ON CLUSTER wait for every
 * node: where nothing is missing there are none, so that a server starts while a node is down.
 */
export async function migrate(server: Server, nowMs: number): Promise<void> {
  const { database } = server.address;
  if (!(await isThere(server))) {
    await server.run(`CREATE DATABASE IF NOT EXISTS ${database}${onCluster(server)}`);
    for (const statement of createTable(server, versions)) await server.run(statement);
  }
  const version = await formatOf(server);
  if (version > SCHEMA_VERSION)
    throw new Error(
      `The database "${database}" has format ${version}, and this version of inferpath knows up to ${SCHEMA_VERSION}: use a newer one`,
    );
  if (version === SCHEMA_VERSION && (await isThere(server, ...tables))) return;
  for (let next = 1; next <= SCHEMA_VERSION; next++) {
    // Of what was made before, a node that takes the place of another may have nothing.
    for (const statement of migrations[next - 1]!(server)) await server.run(statement);
    if (next <= version) continue;
    await server.insert('formats', 1, {
      version: { type: 'UInt32', values: Uint32Array.of(next) },
      applied_ms: { type: 'Float64', values: Float64Array.of(nowMs) },
    });
  }
}

/** Whether every node that answers has the table of formats, and these. */
async function isThere(server: Server, ...more: readonly Table[]): Promise<boolean> {
  const names = [versions, ...more].flatMap(({ name }) => [...new Set([name, localName(server, name)])]);
  const answers = await server.askEach(
    `SELECT toFloat64(count()) FROM system.tables WHERE database = ${quoted(server.address.database)} AND name IN ${listOf(names)}`,
  );
  return answers.length > 0 && answers.every((answer) => answer.numbers(0)[0] === names.length);
}

export async function formatOf(server: Server): Promise<number> {
  return (await server.ask(`SELECT toFloat64(max(version)) FROM ${server.name('formats')}`)).numbers(0)[0] ?? 0;
}

/** Drops a partition on every shard. */
export function dropPartition(server: Server, table: string, partition: number): Promise<void> {
  return server.run(
    `ALTER TABLE ${server.name(localName(server, table))}${onCluster(server)} DROP PARTITION ${partition}`,
  );
}

const onCluster = ({ address }: Server) => (address.cluster === null ? '' : ` ON CLUSTER ${address.cluster}`);

/** The table that holds rows: the one that is asked, or in a cluster the shard's part of it. */
const localName = ({ address }: Server, table: string) => (address.cluster === null ? table : `${table}_shard`);

function createTable(server: Server, table: Table): string[] {
  const { cluster, database } = server.address;
  const { name, columns, partition, order, shard, granularity } = table;
  const local = localName(server, name);
  const settings = [
    `index_granularity = ${granularity ?? 8192}`,
    // What is acknowledged stays after a loss of power, too. Servers before that leave it to the kernel.
    ...(server.isAtLeast(20, 10) ? ['fsync_after_insert = 1', 'fsync_part_directory = 1'] : []),
  ];
  const create = `CREATE TABLE IF NOT EXISTS ${database}.${local}${onCluster(server)} (${columns}) ENGINE = ${engineOf(server, table)}
    PARTITION BY ${partition} ORDER BY (${order}) SETTINGS ${settings.join(', ')}`;
  if (cluster === null) return [create];
  return [
    create,
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(server)} (${columns})
      ENGINE = Distributed(${cluster}, ${database}, ${local}, ${shard})`,
  ];
}

function engineOf({ address: { cluster, database } }: Server, { name, engine }: Table): string {
  const [kind, version] =
    typeof engine === 'string' ? [engine, ''] : (['ReplacingMergeTree', engine.replacing] as const);
  if (cluster === null) return `${kind}(${version})`;
  // {shard} and {replica} are macros of each server.
  const path = `'/clickhouse/tables/{shard}/${database}/${name}', '{replica}'`;
  return `Replicated${kind}(${path}${version === '' ? '' : `, ${version}`})`;
}
