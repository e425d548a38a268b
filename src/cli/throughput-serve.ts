import { isIP } from 'node:net';
import { describeServed } from '../measure/throughput/served.ts';
import { type RunningServer, startServer } from '../measure/throughput/server.ts';
import { printable } from '../model/outcome.ts';
import type { ThroughputServeLine } from '../model/throughput.ts';
import type { Io } from '../wire/io.ts';
import { SystemCallError } from '../wire/libc.ts';
import { type ExitCode, exitCode, UsageError } from './command.ts';
import type { ThroughputFlags } from './throughput-flags.ts';
import { withPort } from '../stats/address.ts';

/** Streams of one test, both ways together: two times what iperf3 allows each way. */
const MAX_STREAMS = 256;

/** `inferpath throughput --serve`: until Ctrl-C, or one test with --once. */
export async function serveThroughput(flags: ThroughputFlags, io: Io): Promise<ExitCode> {
  const at = listenAddress(flags.listen);
  const say = (line: ThroughputServeLine, text: string) =>
    io.terminal.out(flags.json ? `${JSON.stringify(line)}\n` : `${text}\n`);
  const server = open(flags, at, io, say);
  const url = withPort(server.address, server.port);
  const hint = isLoopback(server.address) ? "; this machine only, --listen '[::]:5201' serves everybody" : '';
  say(
    { event: 'listening', address: server.address, port: server.port },
    `serving iperf3 on ${url}, ${flags.maxClients} tests at once${hint}`,
  );
  const { interrupted } = io.signals;
  const stopped = new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([server.done, stopped]);
  await server.close();
  return interrupted.aborted ? exitCode.interrupted : exitCode.ready;
}

function open(
  flags: ThroughputFlags,
  at: { address: string; port: number },
  io: Io,
  say: (line: ThroughputServeLine, text: string) => void,
): RunningServer {
  const limits = { maxDurationS: flags.maxDuration, maxBitsPerS: flags.maxBitrate, maxStreams: MAX_STREAMS };
  try {
    return startServer({ ...at, ...limits, maxClients: flags.maxClients, once: flags.once }, io, {
      accepted: ({ id, client }) => {
        if (flags.json) say({ event: 'accepted', id, client }, '');
      },
      finished: (test) => say({ event: 'finished', ...test }, describeServed(test)),
      turnedAway: (client, reason) =>
        say({ event: 'turned-away', client, reason }, `${printable(client)} turned away: ${reason}`),
    });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new UsageError(`--listen: cannot serve on "${flags.listen}": ${error.operation}: ${error.errno}`);
  }
}

/** @throws UsageError for what is no IP address with a port */
function listenAddress(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? Number.NaN);
  if (isIP(address) === 0 || !(port <= 65_535))
    throw new UsageError(
      `--listen: found "${text}"; allowed: an IP address and a port, like 0.0.0.0:5201 or [::]:5201`,
    );
  return { address, port };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
