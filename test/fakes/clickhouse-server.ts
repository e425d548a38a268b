import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../fixtures/free-port.ts';

/** Why there is no ClickHouse server to test against; undefined where there is one, as Debian packages it. */
export const whyNoClickHouse = (): string | undefined =>
  spawnSync('clickhouse-server', ['--help']).error === undefined ? undefined : 'wants the package clickhouse-server';

const example = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../examples/clickhouse/${name}`, import.meta.url)), 'utf8');

/** The password of the example, which is that of the tests. */
export const PASSWORD = 'change-me';

export interface ClickNode {
  /** `host:port` of its HTTP interface. */
  host: string;
  /** SIGKILL, and gone when this resolves. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
}

export interface ClickServers {
  nodes: readonly ClickNode[];
  close(): Promise<void>;
}

/** Ports and place of one node. */
interface Seat {
  folder: string;
  http: number;
  tcp: number;
  interserver: number;
}

/** One server on loopback, with a folder and ports of its own and little memory, and the user of examples/clickhouse. */
export async function clickServer(): Promise<ClickServers> {
  return clickServers([{ shard: 1, replica: 'a' }], null);
}

/** The cluster of examples/clickhouse: two shards of two replicas, agreeing through the ZooKeeper at that port. */
export async function clickCluster(zookeeperPort: number): Promise<ClickServers> {
  const members = [1, 2].flatMap((shard) => ['a', 'b'].map((replica) => ({ shard, replica })));
  return clickServers(members, zookeeperPort);
}

async function clickServers(
  members: readonly { shard: number; replica: string }[],
  zookeeperPort: number | null,
): Promise<ClickServers> {
  const root = mkdtempSync(join(tmpdir(), 'inferpath-clickhouse-'));
  const ports = await freePorts(3 * members.length);
  const seats = members.map(({ shard, replica }, i): Seat => {
    const [http, tcp, interserver] = ports.slice(3 * i, 3 * i + 3);
    return { folder: join(root, `${shard}${replica}`), http: http!, tcp: tcp!, interserver: interserver! };
  });
  members.forEach((member, i) => configure(seats[i]!, member, seats, zookeeperPort));
  const nodes = seats.map(clickNode);
  const close = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { nodes, close };
}

function configure(
  seat: Seat,
  { shard, replica }: { shard: number; replica: string },
  seats: readonly Seat[],
  zookeeperPort: number | null,
): void {
  const { folder } = seat;
  for (const name of ['config.d', 'users.d', 'data']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'config.xml'), ownConfig(seat));
  writeFileSync(join(folder, 'users.xml'), users);
  writeFileSync(join(folder, 'users.d/inferpath.xml'), example('user.xml').replace('::/0', '127.0.0.1'));
  if (zookeeperPort === null) return;
  // The example as it is, but for hosts: all of them are ports of this machine here.
  let hosts = 0;
  const server = example('server.xml')
    .replace('<listen_host>0.0.0.0</listen_host>', '<listen_host>127.0.0.1</listen_host>')
    .replace(/<host>zookeeper-1<\/host><port>2181</, `<host>127.0.0.1</host><port>${zookeeperPort}<`)
    .replaceAll(/<host>clickhouse-..<\/host><port>9000</g, () => `<host>127.0.0.1</host><port>${seats[hosts++]!.tcp}<`);
  writeFileSync(join(folder, 'config.d/inferpath.xml'), server);
  writeFileSync(
    join(folder, 'config.d/macros.xml'),
    example('macros.xml')
      .replace('<shard>1<', `<shard>${shard}<`)
      .replace('<replica>a<', `<replica>${replica}<`)
      .replace('>clickhouse-1a<', '>127.0.0.1<'),
  );
}

const ownConfig = ({ folder, http, tcp, interserver }: Seat) => `<yandex>
  <logger><level>warning</level><log>${folder}/log</log><errorlog>${folder}/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${http}</http_port><tcp_port>${tcp}</tcp_port><interserver_http_port>${interserver}</interserver_http_port>
  <path>${folder}/data/</path><tmp_path>${folder}/tmp/</tmp_path><user_files_path>${folder}/files/</user_files_path>
  <users_config>${folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>33554432</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
  <max_concurrent_queries>100</max_concurrent_queries>
</yandex>
`;

const users = `<yandex>
  <profiles><default>
    <max_memory_usage>1000000000</max_memory_usage><background_pool_size>2</background_pool_size>
    <background_schedule_pool_size>4</background_schedule_pool_size><max_threads>2</max_threads>
  </default></profiles>
  <users><default>
    <password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
  </default></users>
  <quotas><default/></quotas>
</yandex>
`;

function clickNode({ folder, http }: Seat): ClickNode {
  let running: ChildProcess | undefined;
  const kill = async () => {
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    running = spawn('clickhouse-server', [`--config-file=${folder}/config.xml`], { stdio: 'ignore', cwd: folder });
    for (let i = 0; i < 600; i++) {
      if (running.exitCode !== null)
        throw new Error(`clickhouse-server ended:\n${readFileSync(join(folder, 'errors'), 'utf8').slice(-4000)}`);
      if ((await fetch(`http://127.0.0.1:${http}/ping`).catch(() => null))?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await kill();
    throw new Error('clickhouse-server did not answer within 30 s');
  };
  return { host: `127.0.0.1:${http}`, kill, start };
}
