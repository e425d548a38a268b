import type { AgentHealth } from '../model/agent-health.ts';
import { isOfNetwork } from '../model/capture/judged.ts';
import type { TlsSummary } from '../model/inference.ts';
import type { Observation, ObservationKind, ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import { pathId } from '../model/path-id.ts';
import type { Sample, SampleKind, SampleMetric, SampleVerdict } from '../model/sample.ts';

/** A sample before it is part of a batch. */
export type BareSample = Omit<Sample, 'id' | 'agent'>;

/** What the probes of one kind tell beyond how they ended. A number that is null or not finite is absent. */
interface Told {
  kind?: SampleKind;
  metrics: Partial<Record<SampleMetric, number | null | undefined>>;
  state?: string | null;
  /** The columns say everything about an answer. */
  plain?: true;
  /** The same observation without what makes it long. */
  shorter?: () => Observation;
}

/** Longest detail that the agent protocol carries. */
const MAX_DETAIL = 1_048_576;
const MAX_STATE = 4096;

/** System calls that fail for want of something on this host: the probe was never on the network. */
const ownFaults = new Set(
  'EMFILE ENFILE ENOBUFS ENOMEM EAGAIN EACCES EPERM EADDRNOTAVAIL EADDRINUSE EAFNOSUPPORT EPROTONOSUPPORT ENOPROTOOPT EINVAL EBADF ENODEV ENOTSUP EOPNOTSUPP ENOSYS'.split(
    ' ',
  ),
);

/**
 * What is kept of an observation over time. The same observation is always the same sample: what comes in another order from one
 * probe to the next (addresses of a name, paths of a trace) is sorted, so that only a change is one.
 */
export function sampleOf(observation: Observation): BareSample {
  const { kind = observation.kind as SampleKind, metrics, state = null, plain, shorter } = told(observation);
  return {
    atMs: Date.parse(observation.at) || 0,
    endpoint: observation.to,
    kind,
    outcome: observation.outcome.kind,
    verdict: verdictOf(observation.outcome),
    metrics: Object.fromEntries(
      Object.entries(metrics).filter(([, value]) => Number.isFinite(value)),
    ) as Sample['metrics'],
    state: state === null ? null : state.slice(0, MAX_STATE),
    detail: plain && hasNoReason(observation.outcome) ? null : detailOf(observation, shorter),
  };
}

/**
 * `unknown` is what says nothing about the endpoint: our own want of descriptors, memory, rights or a route, and the user's Ctrl-C.
 * Whatever else is no answer is `bad`, a refused key included: whoever uses that key has no service.
 */
export function verdictOf(outcome: Outcome): SampleVerdict {
  switch (outcome.kind) {
    case 'answered':
      return 'ok';
    case 'interrupted':
      return 'unknown';
    case 'failed':
      return ownFaults.has(outcome.errno) ? 'unknown' : 'bad';
    case 'unreachable':
      return /^(this|own) host$/.test(outcome.by) ? 'unknown' : 'bad';
    case 'lost':
    case 'late':
    case 'otherAddress':
    case 'refused':
    case 'timedOut':
    case 'rejected':
    case 'brokenStream':
      return 'bad';
  }
}

const hasNoReason = ({ kind }: Outcome) => kind === 'answered' || kind === 'lost' || kind === 'interrupted';

function detailOf(observation: Observation, shorter: (() => Observation) | undefined): string | null {
  const whole = JSON.stringify(observation);
  if (whole.length <= MAX_DETAIL) return whole;
  const short = shorter ? JSON.stringify(shorter()) : '';
  return short !== '' && short.length <= MAX_DETAIL ? short : null;
}

function told(observation: Observation): Told {
  // One entry for each member of the union; which one fits its argument is beyond the type checker.
  return (tell[observation.kind] as (observation: Observation) => Told)(observation);
}

const tell: { [K in ObservationKind]: (observation: ObservationOf<K>) => Told } = {
  dns: ({ outcome, durationMs, addresses }) => ({
    metrics: { dnsMs: outcome.kind === 'answered' ? durationMs : null },
    state: addresses.length > 0 ? [...new Set(addresses)].sort().join(' ') : null,
    plain: true,
  }),
  tcp: ({ rttMs, synRetransmits }) => ({ metrics: { rttMs, retransmits: synRetransmits }, plain: true }),
  tls: ({ rttMs, durationMs, tls }) => ({
    metrics: { rttMs, tlsMs: durationMs, certificateDaysLeft: tls?.certificate?.daysLeft },
    state: stateOfTls(tls),
  }),
  ping: ({ rttMs }) => ({ metrics: { rttMs }, plain: true }),
  trace: (trace) => ({ metrics: metricsOfTrace(trace), state: stateOfTrace(trace) }),
  mtu: ({ forward, reverse, lossShare }) => ({
    metrics: { mtuBytes: forward.verdict === 'unknown' ? null : forward.confirmedBytes, lossShare },
    state:
      [forward, reverse]
        .flatMap((way) => (way && way.verdict !== 'unknown' ? [`${way.verdict} ${way.confirmedBytes}`] : []))
        .join(' / ') || null,
  }),
  stamp: ({ summary }) => ({
    metrics: summary
      ? {
          rttMs: summary.rtt?.medianMs,
          pdvMs: summary.pdvP99Ms,
          lossShare: share(summary.sent - summary.answered, summary.sent),
          lossUpShare: exactLoss(summary.up),
          lossDownShare: exactLoss(summary.down),
          hops: summary.hops?.[0],
          scheduleLagMs: summary.scheduleLagP99Ms,
        }
      : {},
  }),
  throughput: ({ test }) => {
    const directions = test?.directions ?? [];
    return {
      metrics: {
        // One number for both ways: what the path carries at least.
        mbitPerS: directions.length > 0 ? Math.min(...directions.map(({ mbitPerS }) => mbitPerS)) : null,
        retransmits: sum(directions.map(({ retransmits }) => retransmits)),
        rttMs: test?.latency?.idle?.medianMs,
        cpuShare: test?.cpu.busiestThread,
      },
    };
  },
  transfer: ({ receiverMbitPerS, senderMbitPerS, retransmits, udp }) => ({
    kind: 'throughput',
    metrics: {
      mbitPerS: receiverMbitPerS ?? senderMbitPerS,
      retransmits,
      lossShare: udp && share(udp.lost, udp.packets),
    },
  }),
  'round-trips': ({ figures: { sent, received, medianMs, meanMs } }) => ({
    metrics: {
      rttMs: medianMs ?? meanMs,
      lossShare: sent === null || received === null ? null : share(sent - received, sent),
    },
  }),
  responsiveness: ({ idle, directions }) => {
    const goodputs = directions.flatMap(({ goodputMbit }) => goodputMbit ?? []);
    const rpms = directions.flatMap(({ rpm }) => rpm ?? []);
    return {
      metrics: {
        rpm: rpms.length > 0 ? Math.min(...rpms) : null,
        mbitPerS: goodputs.length > 0 ? Math.min(...goodputs) : null,
        rttMs: idle?.tcpMs,
      },
    };
  },
  inference: (observation) => {
    const { request } = observation;
    const { phases, split, tcp } = request;
    return {
      metrics: {
        dnsMs: phases.dnsMs,
        tcpMs: phases.tcpMs,
        tlsMs: phases.tlsMs,
        ttftMs: phases.ttftMs,
        totalMs: phases.totalMs,
        scheduleLagMs: phases.scheduleLagMs,
        tpotMs: request.tpotMs,
        gapMaxMs: request.gaps.length > 0 ? request.gaps.reduce((max, gap) => Math.max(max, gap), 0) : null,
        // Of the whole answer; the split of each phase is in the detail.
        networkLowMs: split.total?.networkMs[0],
        networkHighMs: split.total?.networkMs[1],
        serverLowMs: split.total?.serverMs[0],
        serverHighMs: split.total?.serverMs[1],
        outputTokens: request.tokens.output,
        stalls: request.stalls.length,
        networkStalls: request.stalls.filter(({ cause }) => cause === 'network').length,
        rttMs: tcp.requestRttMs ?? tcp.handshakeRttMs ?? tcp.minRttMs,
        retransmits: tcp.retransmits,
        pdvMs: tcp.pdvMs,
        certificateDaysLeft: request.tls?.certificate?.daysLeft,
      },
      state: stateOfTls(request.tls),
      shorter: () => ({ ...observation, request: { ...request, gaps: [], tcp: { ...tcp, info: [] } } }),
    };
  },
  'capture-exchange': (exchange) => ({
    metrics: {
      ttftMs: exchange.ttftMs,
      totalMs: exchange.totalMs,
      gapMaxMs: exchange.gaps?.maxMs,
      stalls: exchange.shape === 'stream' ? exchange.stalls.length + exchange.stallsNotListed : null,
      networkStalls:
        exchange.shape === 'stream' ? exchange.stalls.filter(({ cause }) => isOfNetwork(cause)).length : null,
    },
    shorter: () => ({ ...exchange, stalls: [], stallsNotListed: exchange.stalls.length + exchange.stallsNotListed }),
  }),
  'capture-connection': ({ toServer, toClient, up, down }) => ({
    metrics: {
      rttMs: toServer && toClient && toServer.lowestMs + toClient.lowestMs,
      retransmits: sentAgain(up) + sentAgain(down),
      lossShare: share(lostOf(up) + lostOf(down), up.dataPackets + down.dataPackets),
      lossUpShare: share(lostOf(up), up.dataPackets),
      lossDownShare: share(lostOf(down), down.dataPackets),
    },
  }),
  'capture-quality': ({ packets, recordedDrops }) => ({
    metrics: { lossShare: share(recordedDrops, packets + recordedDrops) },
  }),
  client: ({ scheduleLagP99Ms, eventLoopLagP99Ms, clockStepMs, cpuShare, agent }) => ({
    metrics: {
      scheduleLagMs: scheduleLagP99Ms,
      loopLagMs: eventLoopLagP99Ms,
      clockStepMs,
      cpuShare,
      ...(agent && metricsOfAgent(agent)),
    },
  }),
};

function metricsOfAgent({ clockOffsetMs, spool, skippedStarts, uplink }: AgentHealth): Told['metrics'] {
  return {
    clockOffsetMs: clockOffsetMs && (clockOffsetMs[0] + clockOffsetMs[1]) / 2,
    clockOffsetErrorMs: clockOffsetMs && (clockOffsetMs[1] - clockOffsetMs[0]) / 2,
    spoolBatches: spool.batches,
    droppedSamples: spool.droppedSamples,
    skippedStarts: skippedStarts.running + skippedStarts.late,
    uplinkUp: uplink === null ? null : uplink === 'up' ? 1 : 0,
  };
}

/** Group and certificate; null where the handshake shows none (a resumed session), which is no change. */
function stateOfTls(tls: TlsSummary | null): string | null {
  if (!tls?.certificate) return null;
  const { subject, issuer, validTo, keyType } = tls.certificate;
  return [tls.version, tls.group ?? 'unknown group', subject, `issued by ${issuer}`, keyType, `until ${validTo}`].join(
    ', ',
  );
}

function metricsOfTrace({ reached, hops, graph }: ObservationOf<'trace'>): Told['metrics'] {
  const last = reached ? hops.at(-1) : undefined;
  const paths = graph?.paths.filter((path) => path.sent > 0) ?? [];
  const lost = sum(paths.map(({ sent, received }) => sent - received));
  const busiest = paths.reduce<(typeof paths)[number] | undefined>(
    (most, path) => (path.rtts && path.received > (most?.received ?? 0) ? path : most),
    undefined,
  );
  return {
    hops: last?.ttl,
    rttMs: busiest?.rtts?.medianMs ?? last?.rttMs,
    pdvMs: busiest?.rtts?.pdvP99Ms,
    lossShare: lost === null ? null : share(lost, sum(paths.map(({ sent }) => sent)) ?? 0),
  };
}

/** All paths that reach the target. Without any, where the trace ends is a matter of chance, and nothing has changed. */
function stateOfTrace({ reached, hops, graph }: ObservationOf<'trace'>): string | null {
  const ids = graph?.paths.filter((path) => path.reached).map(({ id }) => id) ?? [];
  if (ids.length > 0) return [...new Set(ids)].sort().join(' ');
  return reached ? pathId(addressesByTtl(hops)) : null;
}

function addressesByTtl(hops: ObservationOf<'trace'>['hops']): string[][] {
  const last = Math.min(255, Math.max(0, ...hops.map(({ ttl }) => ttl)));
  const at = Array.from({ length: last }, (): string[] => []);
  for (const { ttl, address } of hops) if (address !== null) at[ttl - 1]?.push(address);
  return at;
}

type CapturedWay = ObservationOf<'capture-connection'>['up'];
const lostOf = ({ lostBeforeTap, lostBehindTap }: CapturedWay) => lostBeforeTap + lostBehindTap;
const sentAgain = (way: CapturedWay) => lostOf(way) + way.needless;

/** Loss of one direction, where the reflector counts and both numbers are exact. */
function exactLoss({ offered, lost }: NonNullable<ObservationOf<'stamp'>['summary']>['up']): number | null {
  if (!lost || lost[0] !== lost[1] || offered[0] !== offered[1]) return null;
  return share(lost[0], offered[0]);
}

const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);

/** Null of none, and where one is unknown. */
function sum(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
}
