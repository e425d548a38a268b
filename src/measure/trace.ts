import type { ObservationOf } from '../model/observation.ts';
import { resolveTarget } from './dns.ts';
import { holdStamps } from '../wire/error-queue.ts';
import { openSynProbe, type SynProbe, type SynRequest } from '../wire/syn-probe.ts';
import { openUdpProbe, type UdpProbe } from '../wire/udp-probe.ts';
import type { Probe } from './probe.ts';
import { traceByConnect } from './trace-connect.ts';
import { traceOptions } from './trace/options.ts';
import { traceByUdp } from './trace-udp.ts';

/** The kernel's sockets, so that a test can put its own in their place. */
export interface TraceSockets {
  openSyn(request: SynRequest): SynProbe;
  /** See holdStamps() of wire/error-queue.ts. */
  holdStamps(sleep: (ms: number) => Promise<void>): Promise<() => void>;
  openUdp(address: string, family: 4 | 6, port: number): UdpProbe;
}

/** What a trace found, however far it came. */
export type Traced = Pick<ObservationOf<'trace'>, 'outcome' | 'reached' | 'hops' | 'how'>;
export interface TraceTask {
  address: string;
  family: 4 | 6;
  port: number;
}

/** First registered port of traceroute(8), where nothing listens. */
const UDP_PORT = 33_434;

/**
 * The routers on the way, one probe per hop, no privilege. One flow for all hops as far as possible, so that load balancers
 * do not mix two paths into one; one path of possibly several, and what a router says of itself: silence is not loss.
 */
export function makeTraceProbe(sockets: TraceSockets): Probe<typeof traceOptions> {
  return {
    kind: 'trace',
    about: 'The routers on the way to the port, by TTL and the socket error queue',
    options: traceOptions,
    async *run(target, options, io, signal) {
      const at = new Date(io.clock.wallMs()).toISOString();
      const base = { kind: 'trace' as const, at, from: target.vantage, to: target.name, method: options.method };
      const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
      const [first] = addresses;
      if (first === undefined) {
        yield { ...base, address: '', outcome, how, reached: false, hops: [] };
        return;
      }
      const bare = options.method === 'icmp' || options.method === 'tcp';
      if (io.platform !== 'linux' || bare) {
        const message = bare
          ? `Cannot trace by ${options.method}: udp or tcp-connect is wanted`
          : `ICMP errors of own sockets (IP_RECVERR) exist on Linux only, this is ${io.platform}`;
        const phase = 'wait' as const;
        const unable = {
          kind: 'failed' as const,
          phase,
          operation: 'trace',
          errno: 'ENOTSUP',
          address: first.address,
          message,
        };
        yield { ...base, address: first.address, outcome: unable, how: message, reached: false, hops: [] };
        return;
      }
      const task = { ...first, port: options.port ?? (options.method === 'udp' ? UDP_PORT : port) };
      const release = await sockets.holdStamps((ms) => io.clock.sleep(ms, signal));
      try {
        const trace = options.method === 'udp' ? traceByUdp : traceByConnect;
        yield { ...base, address: first.address, ...(await trace(task, options, io, signal, sockets)) };
      } finally {
        release();
      }
    },
  };
}

export const traceProbe = makeTraceProbe({ openSyn: openSynProbe, openUdp: openUdpProbe, holdStamps });
