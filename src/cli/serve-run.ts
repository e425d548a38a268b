import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { listenAddress } from '../lab/reflect/options.ts';
import { durationMs } from '../model/watch.ts';
import { Configuration } from '../serve/configuration.ts';
import { addressPolicy, allowedFrom } from '../serve/deliver/address-policy.ts';
import { Paging } from '../serve/paging.ts';
import { Authorities } from '../serve/pki/authorities.ts';
import { type RunningServer, type ServerOptions, startServer } from '../serve/server.ts';
import { isFull } from '../store/full.ts';
import { isClickHouseError, isLedgerLost, openStore } from '../store/open.ts';
import { lockFile } from '../wire/file-lock.ts';
import type { Io } from '../wire/io.ts';
import { type FlagTable, type FlagValues, UsageError } from './command.ts';
import { controlPath, writeControl } from './control.ts';
import { documentsFlag, openSharedDocuments, type SharedDocuments } from './documents-place.ts';
import { keyOf } from './local-agent.ts';
import { loadNetworkFile } from './network-file.ts';
import { storeFlag, storePlace } from './store-place.ts';
import { serviceManager } from './service-manager.ts';
import { version } from './version.ts';

/** Flags that `serve` and `up` share. */
export const serveFlags = {
  listen: {
    schema: listenAddress.prefault('127.0.0.1:7100'),
    about: 'Address for browsers and the API, port 0 for a free one; default 127.0.0.1:7100.',
    value: 'HOST:PORT',
  },
  data: {
    schema: z.string().min(1).default('inferpath-data'),
    about: 'Folder for samples, tokens and keys; made when it is not there; default inferpath-data.',
    value: 'DIR',
  },
  documents: documentsFlag,
  store: storeFlag,
  agents: {
    schema: listenAddress.optional(),
    about: 'Address for agents, by mutual TLS with the own authority; without it none can connect.',
    value: 'HOST:PORT',
    group: 'Agents',
  },
  name: {
    schema: z.array(z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an address')).default([]),
    about: 'A further name or address by which this server is reached; may be repeated. The first is told to agents.',
    value: 'HOST',
    repeated: true,
    group: 'Network',
  },
  url: {
    schema: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
    about: 'Where people reach this server, for the links in alerts; default where it listens.',
    value: 'URL',
    group: 'Network',
  },
  tls: {
    schema: z.boolean().default(false),
    about: 'HTTPS for browsers, too, with a certificate of the own authority.',
    group: 'Network',
  },
  tlsCert: {
    schema: z.string().optional(),
    about: 'HTTPS with this certificate (PEM, with its chain).',
    value: 'FILE',
    group: 'Network',
  },
  tlsKey: { schema: z.string().optional(), about: 'Key of that certificate.', value: 'FILE', group: 'Network' },
  plainHttp: {
    schema: z.boolean().default(false),
    about: 'Allow --listen on other addresses than loopback without TLS: behind a proxy that has it.',
    group: 'Network',
  },
  json: { schema: z.boolean().default(false), about: 'One JSON line when it listens (inferpath schema serve).' },
} satisfies FlagTable;
export type ServeFlags = FlagValues<typeof serveFlags>;

/** Opens store, documents and keys, starts the server, and tells commands of the same user how to reach it. */
export async function openServer(
  flags: ServeFlags,
  networkPath: string,
  io: Io,
): Promise<RunningServer & { close(): Promise<void>; folder: string }> {
  const folder = resolve(io.cwd, flags.data);
  const load = () => loadNetworkFile(networkPath, io);
  const { watch } = await load();
  const options = await serverOptions(flags, io);
  const allow = receiverNetworks(io);
  await io.fs.makeFolder(folder);
  const { raw, minutes, hours } = watch?.retention ?? { raw: '14d', minutes: '90d', hours: '730d' };
  const retention = { rawMs: durationMs(raw), minutesMs: durationMs(minutes), hoursMs: durationMs(hours) };
  const place = await storePlace(flags.store, io);
  const storeIsShared = place.clickhouse !== undefined;
  if (flags.documents && storeIsShared && !lockFile(join(folder, 'lock'), io.platform))
    throw new UsageError(`--data: another server runs with ${folder}`, 'each node has a folder of its own');
  const shared: SharedDocuments | null = flags.documents
    ? await openSharedDocuments(flags.documents, { storeIsShared }, io)
    : null;
  const opened = await openStore(join(folder, 'store'), io, {
    retention,
    ...place,
    ...(shared && { documents: shared.documents }),
  }).catch(async (error: unknown) => {
    await shared?.documents.close();
    if (isClickHouseError(error)) throw new UsageError(`--store: ${error.message}`);
    if (!isLedgerLost(error)) throw error;
    throw new UsageError(`--store: ${error.message}`, lostLedgerHint);
  });
  const { store } = opened;
  const close = async () => {
    await opened.close();
    await shared?.documents.close();
  };
  try {
    const documents = shared?.documents ?? opened.documents;
    const needsKeys = options.agents !== null || options.web.tls === 'own';
    const authorities = needsKeys
      ? shared
        ? await Authorities.openAt(await shared.authorities(), io.clock)
        : await Authorities.open(join(folder, 'authorities.json'), io)
      : null;
    const configuration = await Configuration.open(documents, load);
    const base = dirname(resolve(io.cwd, networkPath));
    const probing = { io, keyFor: (endpoint: string) => keyOf(configuration.network, endpoint, base, io) };
    const paging = new Paging({
      documents,
      configuration,
      io,
      allow,
      // The embedded store has one process at a time.
      isAlone: shared === null,
      ...(flags.url !== undefined && { url: flags.url }),
    });
    const parts = {
      paging,
      exporting: { io, allow },
      probing,
      io,
      version,
      store,
      room: () => opened.room(),
      documents,
      configuration,
      authorities,
      cluster: shared?.cluster ?? null,
    };
    const server = await startServer(options, parts).catch(cannotListen);
    const tell = () => writeControl(controlPath(folder), server, authorities?.bundle() ?? null, io);
    await tell().catch(async (error: unknown) => {
      if (isFull(error)) return tellLater(tell, io, server.context.stopping);
      await server.stop();
      throw error;
    });
    io.signals.onHangUp(() => void reload(configuration, io));
    const manager = await serviceManager(io);
    manager.ready(`listening on ${server.web.url}`);
    return {
      ...server,
      folder,
      close: async () => {
        manager.stopping();
        await server.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const lostLedgerHint =
  'start it with the --documents, or the --data, that it had before; when these are lost, `inferpath store repair` with the new ones rolls up anew what samples are kept';

const tellAgainMs = 5000;

/** A server that is started on a full disk runs all the same; commands of its user find it when there is room again. */
function tellLater(tell: () => Promise<void>, io: Io, signal: AbortSignal): void {
  io.log.warn('the disk is full: commands on this machine cannot find this server before there is room');
  const again = async (): Promise<void> => {
    await io.clock.sleep(tellAgainMs, signal);
    await tell().catch(again);
  };
  void again().catch(() => undefined);
}

/** SIGHUP: a file with mistakes changes nothing. */
async function reload(configuration: Configuration, io: Io): Promise<void> {
  try {
    const changes = await configuration.reload();
    io.terminal.err(
      `reloaded: ${changes.length === 0 ? 'nothing has changed' : changes.map((c) => `${c.path} ${c.change}`).join(', ')}\n`,
    );
  } catch (error) {
    io.terminal.err(
      `not reloaded, the file before stays in force: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

/** Networks beyond the public Internet that receivers may be in. @throws UsageError now, and not when the first page is to go out */
function receiverNetworks(io: Io): string[] {
  const allow = allowedFrom(io.env);
  try {
    addressPolicy(allow);
    return allow;
  } catch (error) {
    throw new UsageError(`INFERPATH_RECEIVER_ALLOW: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function cannotListen(error: unknown): never {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE')
    throw new UsageError(
      `cannot listen on ${address}:${port}: it is in use`,
      '--listen and --agents take another port',
    );
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    throw new UsageError(`cannot listen on ${address}:${port}: ${code}`);
  throw error;
}

const loopback = /^(127\.|::1$|localhost$)/;

async function serverOptions(flags: ServeFlags, io: Io): Promise<ServerOptions> {
  const { listen, agents, name: names, tls, tlsCert, tlsKey, plainHttp } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError('--tls-cert and --tls-key: found one of them; allowed: both');
  if (tls && tlsCert !== undefined) throw new UsageError('--tls: found beside --tls-cert; allowed: one of them');
  const own = tls
    ? ('own' as const)
    : tlsCert === undefined || tlsKey === undefined
      ? undefined
      : await material(tlsCert, tlsKey, io);
  if (own === undefined && !plainHttp && !loopback.test(listen.host))
    throw new UsageError(
      `--listen: found ${listen.host} without TLS; tokens and cookies would go over the network in clear`,
      'add --tls, or --tls-cert and --tls-key, or --plain-http when a proxy in front has TLS',
    );
  return { web: { ...listen, ...(own === undefined ? {} : { tls: own }) }, agents: agents ?? null, names };
}

async function material(certPath: string, keyPath: string, io: Io): Promise<{ cert: string; key: string }> {
  const read = (flag: string, path: string) =>
    io.fs.readText(path, 1 << 20).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${flag}: cannot read ${path}: ${error.code ?? error.message}`);
    });
  return { cert: await read('--tls-cert', certPath), key: await read('--tls-key', keyPath) };
}
