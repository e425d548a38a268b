import { isIP } from 'node:net';
import * as z from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import { type Outcome, printable } from '../model/outcome.ts';
import type { Io, ResolvedAddress } from '../wire/io.ts';
import type { Probe, Target } from './probe.ts';
import { hostOf, portOf } from './url.ts';

/** Where a target is, and how long it took to learn that. `outcome` is `answered` exactly when `addresses` is not empty. */
export interface Resolution {
  host: string;
  port: number;
  /** In the resolver's order; the first one is used, no other is tried. */
  addresses: ResolvedAddress[];
  durationMs: number;
  how: string;
  outcome: Outcome;
}

const TIMEOUT_MS = 10_000;

export const dnsOptions = z.strictObject({
  timeoutMs: z.number().positive().max(60_000).default(TIMEOUT_MS).meta({
    description: 'How long to wait for the resolver, ms; the resolver of the system may go on longer by itself.',
  }),
});

/** Asks the resolver of the system once: no cache of ours, no second try. */
export const dnsProbe: Probe<typeof dnsOptions> = {
  kind: 'dns',
  about: 'Time that the resolver of the system takes for the name, as an application sees it',
  options: dnsOptions,
  async *run(target, options, io, signal) {
    const at = new Date(io.clock.wallMs()).toISOString();
    const { host, addresses, durationMs, how, outcome } = await resolveTarget(target, io, signal, options.timeoutMs);
    yield {
      kind: 'dns',
      at,
      from: target.vantage,
      to: target.name,
      how,
      outcome,
      host,
      durationMs,
      addresses: addresses.map(({ address }) => address),
    } satisfies ObservationOf<'dns'>;
  },
};

/**
 * Address of a target: an override, the literal in its URL, or what io.dns answers. Never throws: what went wrong is the
 * outcome.
 */
export async function resolveTarget(
  target: Target,
  io: Io,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Resolution> {
  const host = hostOf(target.url);
  const port = portOf(target.url);
  const override = target.resolve?.get(`${host}:${port}`) ?? target.resolve?.get(`[${host}]:${port}`);
  const literal = override ?? host;
  if (isIP(literal) === 0 && override === undefined)
    return { host, port, ...(await lookupHost(host, target.family, io, signal, timeoutMs)) };
  const how = override === undefined ? 'address literal' : 'address given by the user';
  return { host, port, durationMs: 0, how, ...useLiteral(literal, target.family, io) };
}

function useLiteral(address: string, family: 4 | 6 | undefined, io: Io): Pick<Resolution, 'addresses' | 'outcome'> {
  const actual = isIP(address);
  const refused = actual === 0 ? null : (io.dns.refusal?.(address) ?? null);
  if (refused !== null) return { addresses: [], outcome: failed('EACCES', address, refused) };
  if ((actual === 4 || actual === 6) && (family === undefined || family === actual)) {
    return { addresses: [{ address, family: actual }], outcome: { kind: 'answered' } };
  }
  const message = actual === 0 ? 'not an IP address' : `not an IPv${family} address`;
  return { addresses: [], outcome: failed('EADDRNOTAVAIL', address, message) };
}

/** Asks the resolver of the system for a name, once. Never throws. */
export async function lookupHost(
  host: string,
  family: 4 | 6 | undefined,
  io: Io,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Omit<Resolution, 'host' | 'port'>> {
  const how = 'system resolver, user clock';
  const startMs = io.clock.monoMs();
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    // getaddrinfo cannot be taken back, so it is only left alone when we stop waiting.
    const answer = io.dns.lookup(host, family).then(
      (addresses) => answered(host, addresses),
      (error: unknown) => ({ addresses: [], outcome: failed(codeOf(error), host, messageOf(error)) }),
    );
    const late = io.clock.sleep(timeoutMs, waiting.signal).then(
      () => ({ addresses: [], outcome: { kind: 'timedOut' as const, phase: 'dns' as const, afterMs: timeoutMs } }),
      () => ({ addresses: [], outcome: { kind: 'interrupted' as const } }),
    );
    const first = await Promise.race([answer, late]);
    return { ...first, durationMs: io.clock.monoMs() - startMs, how };
  } finally {
    signal.removeEventListener('abort', stop);
    waiting.abort();
  }
}

function answered(host: string, addresses: ResolvedAddress[]): Pick<Resolution, 'addresses' | 'outcome'> {
  if (addresses.length === 0) return { addresses, outcome: failed('ENODATA', host, 'the resolver gave no address') };
  return { addresses, outcome: { kind: 'answered' } };
}

function failed(errno: string, address: string, message: string): Outcome {
  return { kind: 'failed', phase: 'dns', operation: 'getaddrinfo', errno, address, message };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
