import type { ExposedService, ExposureReport } from '../../model/secure/exposure.ts';
import type { Clock } from '../../wire/io.ts';
import { type Ask, exchange, type NoReply, type Place, type Reply, touch } from './exchange.ts';
import type { Gate } from './gate.ts';
import { inspect } from './inspect.ts';

export interface Host {
  address: string;
  /** Name that it was given by, for the Host header and SNI; the address where there was none. */
  host: string;
  /** Ports of its own, in place of those of the run. */
  ports?: readonly number[];
}

export interface ScanOptions {
  hosts: readonly Host[];
  ports: readonly number[];
  gate: Gate;
  /** Most new connections a second, all hosts together. */
  ratePerS: number;
  /** Hosts at a time; each gets one connection at a time. */
  parallel: number;
  connectMs: number;
  answerMs: number;
  signal: AbortSignal;
  clock: Clock;
  progress(done: number, all: number, open: number): void;
}

export interface Scan {
  services: ExposedService[];
  counts: ExposureReport['counts'];
  complete: boolean;
}

/** Asks every port of every host, one connection at a time per host, never faster than the rate, and nothing that the gate refuses. */
export async function scan(options: ScanOptions): Promise<Scan> {
  const { hosts, signal, progress } = options;
  const services: ExposedService[] = [];
  const counts = { addresses: hosts.length, connections: 0, requests: 0, open: 0, refused: 0, silent: 0 };
  const all = hosts.reduce((sum, host) => sum + (host.ports ?? options.ports).length, 0);
  const send = paced(options, counts);
  let [next, done] = [0, 0];
  const worker = async () => {
    while (next < hosts.length && !signal.aborted) {
      const host = hosts[next++]!;
      for (const port of host.ports ?? options.ports) {
        if (signal.aborted) break;
        const place = { address: host.address, host: host.host, port, tls: false };
        const result = await inspect(place, options.clock.wallMs(), send);
        if (!('notOpen' in result)) services.push(result);
        count(result, counts);
        progress(++done, all, services.length);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, hosts.length) }, worker));
  services.sort((a, b) => compare(a.address, b.address) || a.port - b.port);
  return { services, counts, complete: !signal.aborted && done === all };
}

function count(result: Awaited<ReturnType<typeof inspect>>, counts: Scan['counts']): void {
  if (!('notOpen' in result)) counts.open++;
  else if (result.notOpen === 'refused') counts.refused++;
  else counts.silent++;
}

function paced({ ratePerS, clock, gate, connectMs, answerMs, signal }: ScanOptions, counts: Scan['counts']) {
  let freeMs = 0;
  return async (ask: Ask | null, place: Place): Promise<Reply | NoReply> => {
    const nowMs = clock.monoMs();
    const atMs = Math.max(nowMs, freeMs);
    freeMs = atMs + 1000 / ratePerS;
    if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal).catch(() => undefined);
    counts.connections++;
    const options = { gate, connectMs, answerMs, signal };
    const result = ask === null ? await touch(place, options) : await exchange(ask, place, options);
    if (ask !== null && ('status' in result || result.connected)) counts.requests++;
    return result;
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
