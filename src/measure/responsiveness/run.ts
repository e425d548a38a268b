import type { Outcome } from '../../model/outcome.ts';
import type { ResponsivenessDirection, ResponsivenessReport } from '../../model/responsiveness.ts';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { codedError, type Link, type LinkOptions, openLink } from '../inference/link.ts';
import { ask } from './ask.ts';
import { configBytesMax, readTestConfig, type TestUrls } from './config.ts';
import { type ForeignProbe, type Parameters, trimmedMean } from './core.ts';
import { type DirectionProgress, measureDirection, outcomeOfError } from './direction.ts';
import { probeForeign } from './foreign.ts';
import type { Direction } from './load.ts';

export interface ResponsivenessOptions {
  /** Where the configuration is: `/.well-known/nq` of a server, or a path of its own. */
  url: URL;
  allowedHosts: readonly string[];
  directions: readonly Direction[];
  parameters: Parameters;
  /** Limits of each direction. */
  durationMs: number;
  /** Of both together. */
  bytesMax: number;
  link: LinkOptions;
}

export type ResponsivenessResult = Pick<ResponsivenessReport, 'outcome' | 'idle' | 'directions'>;

const IDLE_PROBES = 5;
const ASK_TIMEOUT_MS = 10_000;

/** Asks for the configuration, probes the idle path, then loads one direction after the other. */
export async function runResponsiveness(
  options: ResponsivenessOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
  progress: (now: DirectionProgress) => void,
): Promise<ResponsivenessResult> {
  const { link, durationMs, parameters, bytesMax } = options;
  const urls = await fetchConfig(options, transport, io, signal);
  if ('kind' in urls) return { outcome: signal.aborted ? { kind: 'interrupted' } : urls, idle: null, directions: [] };
  const idle = await probeIdle(urls, link, transport, io, signal);
  const directions: ResponsivenessDirection[] = [];
  let left = bytesMax;
  for (const direction of options.directions) {
    if (signal.aborted) break;
    const setup = { direction, urls, link, transport, parameters, durationMs, bytesMax: left };
    const measured = await measureDirection(setup, io, signal, progress);
    directions.push(measured);
    left = Math.max(0, left - measured.bytes);
  }
  return { outcome: { kind: 'answered' }, idle, directions };
}

async function fetchConfig(
  { url, link, allowedHosts }: ResponsivenessOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<TestUrls | Outcome> {
  let opened: Link | null = null;
  try {
    opened = await openLink(url, link, transport, io, signal);
    const { status, body } = await ask(opened, url, io, signal, ASK_TIMEOUT_MS, configBytesMax);
    if (status !== 200) return { kind: 'rejected', status, message: `${url.pathname} of ${url.host}` };
    return readTestConfig(body.toString('utf8'), url, allowedHosts);
  } catch (error) {
    return outcomeOfError(error instanceof RangeError ? codedError('EBADMSG', error.message) : error, url.host);
  } finally {
    await opened?.close();
  }
}

/** What a round trip takes while nothing else is on the way, as far as we know. */
async function probeIdle(
  { small }: TestUrls,
  link: LinkOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<ResponsivenessReport['idle']> {
  const probes: ForeignProbe[] = [];
  for (let i = 0; i < IDLE_PROBES && !signal.aborted; i++) {
    const probe = await probeForeign(small, link, transport, io, signal, ASK_TIMEOUT_MS).catch(() => null);
    if (probe === null) break;
    probes.push(probe);
  }
  if (probes.length === 0) return null;
  const of = (key: keyof ForeignProbe) =>
    trimmedMean(
      probes.map((probe) => probe[key]),
      1,
    );
  const [tcpMs, tlsMs, httpMs] = [of('tcpMs'), of('tlsMs'), of('httpMs')];
  return { probes: probes.length, tcpMs, tlsMs, httpMs, rpm: 180_000 / (tcpMs + tlsMs + httpMs) };
}
