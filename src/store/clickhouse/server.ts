import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import type { ClickAddress } from './address.ts';
import { type Answer, type Column, decodeAnswer, encodeBlock } from './native.ts';

type Settings = Record<string, string | number>;

/** Errors of the servers that another node, or the same one a little later, may not have. */
const PASSING = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF: the node it had asked died in the middle of its answer
  159, // TIMEOUT_EXCEEDED
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  242, // TABLE_IS_READ_ONLY: the session with ZooKeeper is gone
  279, // ALL_CONNECTION_TRIED_FAILED
  999, // KEEPER_EXCEPTION
]);

/** Longest that one statement may take, ms. */
const PATIENCE_MS = 60_000;

/**
 * The nodes of one database. Statements go to one node for as long as it answers, so that what was written is seen; when it does
 * not, they go to the next. Every write of this engine may be repeated, and is.
 */
export class Server {
  readonly address: ClickAddress;
  /** Major and minor version of the first node that answered. */
  readonly version: readonly [number, number];
  readonly #clients: readonly ClickHouseClient[];
  #current = 0;

  private constructor(address: ClickAddress, clients: readonly ClickHouseClient[], version: readonly [number, number]) {
    this.address = address;
    this.#clients = clients;
    this.version = version;
  }

  static async open(address: ClickAddress): Promise<Server> {
    const clients = address.urls.map((url) =>
      createClient({
        url,
        username: address.user,
        password: address.password,
        request_timeout: PATIENCE_MS,
        // Requests wait in line rather than at the server, which refuses more than a hundred.
        max_open_connections: 8,
        log: { level: ClickHouseLogLevel.OFF },
      }),
    );
    const first = new Server(address, clients, [0, 0]);
    try {
      const text = (await first.ask('SELECT version()')).texts(0)[0] ?? '';
      const [major = 0, minor = 0] = text.split('.').map(Number);
      const server = new Server(address, clients, [major, minor]);
      server.#current = first.#current;
      return server;
    } catch (error) {
      await first.close();
      throw error;
    }
  }

  isAtLeast(major: number, minor: number): boolean {
    return this.version[0] > major || (this.version[0] === major && this.version[1] >= minor);
  }

  async ask(sql: string, settings: Settings = {}): Promise<Answer> {
    const octets = await this.#send(`${sql} FORMAT Native`, settings);
    return decodeAnswer(octets);
  }

  /** The same question to every node that is named; those that do not answer are left out. */
  async askEach(sql: string): Promise<Answer[]> {
    const answers = await Promise.allSettled(
      this.#clients.map((client) => exec(client, `${sql} FORMAT Native`, {}, undefined)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [decodeAnswer(answer.value)] : []));
  }

  async run(sql: string, settings: Settings = {}): Promise<void> {
    await this.#send(sql, settings);
  }

  async insert(table: string, rows: number, columns: Readonly<Record<string, Column>>): Promise<void> {
    if (rows === 0) return;
    const block = encodeBlock(rows, columns);
    const names = Object.keys(columns).map((name) => `\`${name}\``);
    const sql = `INSERT INTO ${this.name(table)} (${names.join(', ')}) FORMAT Native`;
    await this.#send(sql, this.whenWriting(), block);
  }

  /** A table of the database with its full name: the database may not exist yet when a client connects. */
  name(table: string): string {
    return `${this.address.database}.${table}`;
  }

  /** Settings of statements that write: through all shards before the answer comes, whatever number of days a batch touches. */
  whenWriting(): Settings {
    return {
      ...(this.address.cluster !== null && { insert_distributed_sync: 1 }),
      ...(this.isAtLeast(19, 1) && { max_partitions_per_insert_block: 0 }),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #send(query: string, settings: Settings, block?: readonly Buffer[]): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      const current = this.#current;
      try {
        return await exec(this.#clients[current]!, query, settings, block);
      } catch (error) {
        if (!isPassing(error) || attempt > this.#clients.length) throw named(error, this.address.urls[current]!);
        // Others may have moved on meanwhile.
        if (this.#current === current) this.#current = (current + 1) % this.#clients.length;
        await sleep(100);
      }
    }
  }
}

async function exec(
  client: ClickHouseClient,
  query: string,
  settings: Settings,
  block: readonly Buffer[] | undefined,
): Promise<Buffer> {
  const { stream } = await client.exec({
    query,
    ...(block && { values: Readable.from(block, { objectMode: false }) }),
    // Without it an error in the middle of an answer looks like its end.
    clickhouse_settings: { wait_end_of_query: 1, ...settings },
  });
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Number of an error that a server answered with: old ones say `Code: 47, e.displayText() = …`. */
function codeOf(error: unknown): number | null {
  const { code, message } = error as { code?: unknown; message?: string };
  const told = /^Code: (\d+)/.exec(message ?? '')?.[1] ?? (/^\d+$/.test(String(code)) ? String(code) : null);
  return told === null ? null : Number(told);
}

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === null || PASSING.has(code);
}

/** What a server answered, or that it did not. */
export class ClickHouseError extends Error {}

function named(error: unknown, url: string): ClickHouseError {
  const [line = ''] = (error as Error).message.split(/\n|, e\.what\(\)/);
  return new ClickHouseError(
    `ClickHouse at ${url}: ${line.replace('e.displayText() = DB::Exception: ', '') || String(error)}`,
    {
      cause: error,
    },
  );
}
