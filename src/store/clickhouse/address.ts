import type { Io } from '../../wire/io.ts';

/** Where a ClickHouse database is, and how to come in. */
export interface ClickAddress {
  /** Base addresses of nodes, all of one cluster; each knows all. */
  urls: readonly string[];
  user: string;
  password: string;
  database: string;
  /** Name of the cluster in the configuration of the servers; null for a single server. */
  cluster: string | null;
}

export const isClickAddress = (text: string) => /^clickhouses?:\/\//.test(text);

type Secrets = Pick<Io, 'env' | 'fs'>;

const name = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * Reads `clickhouse://user@host:8123,host2:8123/database?cluster=name`; `clickhouses://` is by TLS. A password belongs into the
 * variable INFERPATH_CLICKHOUSE_PASSWORD, or into a file that INFERPATH_CLICKHOUSE_PASSWORD_FILE names: what stands in an address
 * can be seen in the list of processes.
 * @throws RangeError that says what is wrong
 */
export async function readClickAddress(text: string, io: Secrets): Promise<ClickAddress> {
  const parts = /^clickhouse(s?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^/?#]*))?(?:\?([^#]*))?$/.exec(text);
  if (!parts) throw wrong(text, 'allowed: clickhouse://user@host:8123/database?cluster=name');
  const [, tls, user = '', hosts = '', database = '', search = ''] = parts;
  if (user.includes(':'))
    throw wrong(
      text.replace(/:[^@/]*@/, ':…@'),
      'a password belongs into INFERPATH_CLICKHOUSE_PASSWORD or the file of INFERPATH_CLICKHOUSE_PASSWORD_FILE',
    );
  const options = new URLSearchParams(search);
  for (const key of options.keys())
    if (key !== 'cluster') throw wrong(text, `found the option "${key}"; allowed: cluster`);
  const cluster = options.get('cluster');
  const named = database === '' ? 'inferpath' : database;
  for (const [what, value] of Object.entries({ database: named, ...(cluster !== null && { cluster }) }))
    if (!name.test(value)) throw wrong(text, `the ${what} "${value}" is no plain name of letters, digits and _`);
  return {
    urls: hosts.split(',').map((host) => urlOf(host, tls === 's', text)),
    user: user === '' ? 'default' : decodeURIComponent(user),
    password: await passwordOf(io),
    database: named,
    cluster,
  };
}

function urlOf(host: string, tls: boolean, text: string): string {
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : null;
  if (!url || url.pathname !== '/' || host === '') throw wrong(text, `"${host}" is no host:port`);
  const port = url.port === '' ? (tls ? '8443' : '8123') : url.port;
  return `${tls ? 'https' : 'http'}://${url.hostname}:${port}`;
}

async function passwordOf({ env, fs }: Secrets): Promise<string> {
  const file = env['INFERPATH_CLICKHOUSE_PASSWORD_FILE'];
  if (file === undefined || file === '') return env['INFERPATH_CLICKHOUSE_PASSWORD'] ?? '';
  const content = await fs.readText(file, 4096).catch((error: NodeJS.ErrnoException) => {
    throw new RangeError(`INFERPATH_CLICKHOUSE_PASSWORD_FILE: cannot read ${file}: ${error.code ?? error.message}`);
  });
  return content.replace(/\r?\n$/, '');
}

const wrong = (text: string, why: string) => new RangeError(`"${text}" is no address of a ClickHouse server: ${why}`);
