import { type ChildProcess, spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabStats } from '../../lab/counters.ts';
import { startLab } from '../../lab/lab.ts';
import { selfSignedCertificate } from '../../lab/reflect/certificate.ts';
import { startReflector } from '../../lab/reflect/reflector.ts';
import type { TopologyInput } from '../../lab/topology.ts';
import type { Endpoint, Network } from '../../model/network.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';

/** An endpoint that this program makes itself. */
export type EmulatedEndpoint = Endpoint & { emulated: NonNullable<Endpoint['emulated']> };

/** The endpoints of a network file that are to be made; none, or all of them. */
export function emulatedOf({ endpoints }: Network): EmulatedEndpoint[] {
  return endpoints.filter((one): one is EmulatedEndpoint => one.emulated !== undefined);
}

/** The endpoints while they exist, and the place from which they can be reached. */
export interface World {
  /** Words of `--resolve`: where each endpoint is. */
  resolve: readonly string[];
  /** File with the certificate that all of them have. */
  ca: string;
  /** Starts this program once more where the endpoints can be reached. */
  run(words: readonly string[], options: { stdio: StdioOptions; env?: Record<string, string> }): ChildProcess;
  /** What the emulated network did; null where there was none. */
  stop(): Promise<LabStats | null>;
}

/**
 * Makes the endpoints: reflectors behind emulated links.
 * @param isTimed the client is to run ahead of whatever else this machine does
 */
export function startLabWorld(endpoints: readonly EmulatedEndpoint[], isTimed: boolean, io: Io): Promise<World> {
  return withCertificate(endpoints, io, async (files) => {
    const ahead = realtime();
    // Names of hosts are narrower than those of endpoints.
    const host = (i: number) => `endpoint-${i + 1}`;
    const topology: TopologyInput = {
      seed: 7,
      hosts: [
        { name: 'client' },
        ...endpoints.map((one, i) => ({
          name: host(i),
          command: [...ahead, ...self('reflect', ...reflectWords(one, files))],
          readyPort: portOf(one),
        })),
      ],
      routers: [{ name: 'gateway' }],
      links: [
        { a: 'client', b: 'gateway' },
        ...endpoints.map(({ emulated: { roundTripMs, jitterMs, loss } }, i) => ({
          a: 'gateway',
          b: host(i),
          delayMs: roundTripMs / 2,
          jitterMs,
          loss,
        })),
      ],
    };
    const lab = await startLab(topology, { io, log: io.log });
    return {
      resolve: endpoints.map((one, i) => resolveWord(one, lab.addressOf(host(i)))),
      run: (words, options) => lab.spawn('client', [...(isTimed ? ahead : []), ...self(...words)], options),
      stop: () => lab.stop(),
    };
  });
}

/**
 * Without the privilege for a network: the servers wait out the distance themselves, so all of it will look like server. They live in
 * this process and end with it, however it ends.
 * @throws UsageError when a port is in use
 */
export function startLoopbackWorld(endpoints: readonly EmulatedEndpoint[], io: Io): Promise<World> {
  return withCertificate(endpoints, io, async ({ cert, key }) => {
    const started: { stop(): Promise<unknown> }[] = [];
    const stop = async () => {
      await Promise.all(started.map((one) => one.stop()));
      return null;
    };
    for (const one of endpoints) {
      const { roundTripMs, serverMs, serverSpread, tokenMs } = one.emulated;
      const queueMs = `lognormal:${Math.max(0.001, serverMs + roundTripMs)},${serverSpread}`;
      const options = { listen: `127.0.0.1:${portOf(one)}`, queueMs, tokenMs, seed: 7, tls: { cert, key } };
      const reflector = await startReflector(options, io).catch(async (error: NodeJS.ErrnoException) => {
        await stop();
        throw new UsageError(
          `endpoint ${one.name}: port ${portOf(one)} has to be free: ${error.code ?? error.message}`,
        );
      });
      started.push(reflector);
    }
    return {
      resolve: endpoints.map((one) => resolveWord(one, '127.0.0.1')),
      run: (words, { stdio, env }) => {
        const [command = '', ...rest] = self(...words);
        return spawn(command, rest, { stdio, cwd: io.cwd, env: { ...io.env, ...env } });
      },
      stop,
    };
  });
}

interface Certificate {
  cert: string;
  key: string;
  certPath: string;
  keyPath: string;
}

/** Makes a certificate for all endpoints in a folder of its own, which goes with the world. */
async function withCertificate(
  endpoints: readonly EmulatedEndpoint[],
  io: Io,
  start: (files: Certificate) => Promise<Omit<World, 'ca'>>,
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'inferpath-emulated-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const hosts = endpoints.map(({ url }) => new URL(url).hostname);
    const { cert, key } = selfSignedCertificate(hosts, io.clock.wallMs(), 90);
    const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(certPath, cert);
    await writeFile(keyPath, key, { mode: 0o600 });
    const world = await start({ cert, key, certPath, keyPath });
    const stop = async () => {
      const stats = await world.stop();
      await remove();
      return stats;
    };
    return { ...world, ca: certPath, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

function reflectWords({ emulated, url }: EmulatedEndpoint, { certPath, keyPath }: Certificate): string[] {
  const { serverMs, serverSpread, tokenMs } = emulated;
  const words = {
    listen: `0.0.0.0:${new URL(url).port}`,
    'queue-ms': `lognormal:${Math.max(0.001, serverMs)},${serverSpread}`,
    'token-ms': tokenMs,
    seed: 7,
    cert: certPath,
    key: keyPath,
  };
  return ['--tls', ...Object.entries(words).flatMap(([flag, value]) => [`--${flag}`, String(value)])];
}

function resolveWord({ url }: EmulatedEndpoint, address: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port}:${address}`;
}

function portOf({ url }: EmulatedEndpoint): number {
  return Number(new URL(url).port);
}

/**
 * The command that starts another ahead of whatever else this machine does, where that is allowed: server, network and client
 * of the emulation share its few cores, and a server that waits for one looks like a slow model.
 */
function realtime(): string[] {
  const chrt = ['chrt', '--rr', '1'];
  return spawnSync('chrt', [...chrt.slice(1), 'true']).status === 0 ? chrt : [];
}

/** This program once more, however it was started: built, or from source with a loader. */
export function self(...words: readonly string[]): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] as string, ...words];
}
