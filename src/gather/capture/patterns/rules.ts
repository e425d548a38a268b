import type { Classification, TrafficClass } from '../../../model/capture/pattern.ts';
import { type FlowContext, fanOutHosts } from './context.ts';
import { isPeriodic, periodMs, shortestMs } from './periodic.ts';
import type { FlowSummary } from './summary.ts';

/** All that a rule may look at. */
export interface View {
  flow: FlowSummary;
  context: FlowContext;
}

type Value = number | string | boolean | null;

/** One condition: null is unknown, and never meets it. */
export interface Condition {
  feature: string;
  wanted: string;
  of: (view: View) => Value;
  holds: (value: Value) => boolean;
}

export interface Rule {
  id: string;
  class: Exclude<TrafficClass, 'other'>;
  /** Whether totals alone are enough for it. */
  needs: 'packets' | 'totals';
  /** What the class is, where all conditions hold; one sentence. */
  why: string;
  conditions: readonly Condition[];
  confidence: (view: View) => Classification['confidence'];
}

const [tcp, udp] = [6, 17] as const;
const [mb, gb] = [1e6, 1e9] as const;

/** Ports behind which nobody serves what the rules for bulk look for. */
const webPorts = new Set([80, 443, 3000, 8000, 8080, 8443, 11434]);
/** Ports of programs that copy what they keep: PostgreSQL, MySQL, MongoDB, Kafka, rsync, etcd, HDFS, Ceph, DRBD, Redis, Cassandra. */
const replicationPorts = new Set([
  5432, 3306, 27017, 9092, 873, 2380, 9866, 50010, 3300, 6789, 6800, 7788, 7789, 6379, 7000,
]);
/** People at keyboards and screens: chunks at the pace of tokens that are none. */
const interactivePorts = new Set([22, 23, 513, 3389, 5900]);

function numeric(
  feature: string,
  of: (view: View) => number | null,
  [low, high]: [number, number],
  unit = '',
): Condition {
  const said = (n: number) => `${n >= 1e6 ? n.toExponential().replace('e+', 'e') : n}${unit}`;
  const wanted =
    high === Infinity
      ? `at least ${said(low)}`
      : low === -Infinity
        ? `at most ${said(high)}`
        : `${said(low)} to ${said(high)}`;
  return { feature, wanted, of, holds: (value) => typeof value === 'number' && value >= low && value <= high };
}
const atLeast = (feature: string, of: (view: View) => number | null, low: number, unit?: string) =>
  numeric(feature, of, [low, Infinity], unit);
const atMost = (feature: string, of: (view: View) => number | null, high: number, unit?: string) =>
  numeric(feature, of, [-Infinity, high], unit);
const is = (feature: string, of: (view: View) => boolean): Condition => ({
  feature,
  wanted: 'yes',
  of,
  holds: (value) => value === true,
});

const total = ({ flow }: View) => flow.octets[0] + flow.octets[1];
const oneWay = (view: View) => Math.max(...view.flow.octets) / Math.max(1, total(view));
const spanS = ({ flow }: View) => Math.max(0, flow.lastMs - flow.firstMs) / 1000;
const detail = ({ flow }: View) => flow.detail;
const perRequest = (view: View) => {
  const requests = detail(view)?.requests ?? 0;
  return requests > 0 ? total(view) / requests : null;
};
/** The flow goes both ways alike, or a host at one of its ends sends as much as it receives. */
const symmetry = ({ flow, context }: View) => {
  const [forth, back] = flow.octets;
  return Math.max(Math.min(forth, back) / Math.max(1, forth, back), context.hostBalance ?? 0);
};
const largestShare = (view: View) => {
  const known = detail(view);
  return known ? known.burstMaxBytes / Math.max(1, total(view)) : null;
};
const isTcp = is('TCP', ({ flow }) => flow.protocol === tcp);
const isInside = is('east-west', ({ context }) => context.direction === 'east-west');
const isRdma = is('RDMA (UDP 4791)', ({ flow }) => flow.isRdma);
const repeats = is('rate repeats itself', ({ flow }) => isPeriodic(flow));
const period = atLeast('period', ({ flow }) => periodMs(flow), shortestMs, ' ms');
const isIrregular = is('bursts without a beat', ({ flow }) => !isPeriodic(flow));
const octets = (low: number) => atLeast('octets', total, low);
const goesOneWay = (low: number) => atLeast('share of one direction', oneWay, low);
const noService = is('no port of the web, of keyboards or of databases', ({ flow }) =>
  [flow.clientPort, flow.serverPort].every(
    (port) => port >= 1024 && !webPorts.has(port) && !interactivePorts.has(port) && !replicationPorts.has(port),
  ),
);
const onReplicationPort = is('port of a program that replicates', ({ flow }) => replicationPorts.has(flow.serverPort));
const onStream = is('TCP or QUIC', ({ flow }) => flow.protocol === tcp || (flow.protocol === udp && flow.isQuic));
const noKeyboard = is('no port of keyboards', ({ flow }) => !interactivePorts.has(flow.serverPort));
const evenBursts = atMost(
  'burst p90 over p50',
  (view) => {
    const { burstP50Bytes: p50, burstP90Bytes: p90 } = detail(view) ?? {};
    return p50 && p90 ? p90 / p50 : null;
  },
  3,
);
const burst = (range: [number, number]) =>
  numeric('burst p50', (view) => detail(view)?.burstP50Bytes ?? null, range, ' octets');
const isChunked = [
  atLeast('requests', (view) => detail(view)?.requests ?? null, 1),
  atLeast(
    'payload packets per response',
    (view) => {
      const known = detail(view);
      return known && known.requests > 0 ? known.responsePackets / known.requests : null;
    },
    10,
  ),
  atLeast('share of small packets in responses', (view) => detail(view)?.smallShare ?? null, 0.7),
  numeric('gap p50 in responses', (view) => detail(view)?.responseGapP50Ms ?? null, [4, 300], ' ms'),
];
const kvBursts = [
  isInside,
  octets(10 * mb),
  goesOneWay(0.95),
  isIrregular,
  atLeast('large bursts', (view) => detail(view)?.largeBursts ?? null, 3),
  burst([8 * mb, 8 * gb]),
  atMost('duty cycle', (view) => detail(view)?.dutyCycle ?? null, 0.7),
];
const oneLongCopy = [octets(gb), goesOneWay(0.98), atLeast('duration', spanS, 5, ' s')];

/**
 * The rules, first that fits first. Thresholds and their sources stand in docs/capture-patterns.md; every one is a condition that is
 * shown with the value that met it.
 */
export const rules: readonly Rule[] = [
  {
    id: 'training-rdma',
    class: 'training',
    needs: 'packets',
    why: 'RDMA between hosts inside, in bursts that keep time, as much in as out: collective operations of training',
    conditions: [isRdma, isInside, octets(10 * mb), repeats, period, atLeast('symmetry', symmetry, 0.5)],
    confidence: () => 'high',
  },
  {
    id: 'training-rdma-one-sided',
    class: 'training',
    needs: 'packets',
    why: 'RDMA between hosts inside, in even bursts that keep time; that as much comes back was not seen here',
    conditions: [isRdma, isInside, octets(10 * mb), repeats, period, evenBursts],
    confidence: () => 'low',
  },
  {
    id: 'training-tcp',
    class: 'training',
    needs: 'packets',
    why: 'large bursts that keep time between ports of no service, as much in as out: NCCL over TCP',
    conditions: [
      isTcp,
      isInside,
      noService,
      is('no TLS', ({ flow }) => !flow.isTls),
      octets(10 * mb),
      repeats,
      period,
      burst([256 * 1024, Infinity]),
      atLeast('symmetry', symmetry, 0.5),
    ],
    confidence: ({ flow }) => (flow.detail!.period && flow.detail!.period.strength >= 0.7 ? 'high' : 'medium'),
  },
  {
    id: 'replication-port',
    class: 'replication',
    needs: 'totals',
    why: 'a long flow, nearly all one way, to a port where programs copy what they keep',
    conditions: [isTcp, isInside, onReplicationPort, octets(mb), goesOneWay(0.8), atLeast('duration', spanS, 30, ' s')],
    confidence: () => 'medium',
  },
  {
    id: 'checkpoint',
    class: 'checkpoint',
    needs: 'packets',
    why: 'at least a gigabyte one way, nearly all in one go: a checkpoint, a model or another large file',
    conditions: [
      ...oneLongCopy,
      atLeast(
        'share of the largest burst, or of the time in bursts',
        (view) => {
          const share = largestShare(view);
          return share === null ? null : Math.max(share, detail(view)!.dutyCycle);
        },
        0.6,
      ),
      is('not in bursts that keep time', ({ flow }) => !isPeriodic(flow)),
      atLeast('rate', (view) => total(view) / Math.max(1e-3, spanS(view)), 12.5 * mb, ' octets/s'),
    ],
    confidence: () => 'medium',
  },
  {
    id: 'checkpoint-totals',
    class: 'checkpoint',
    needs: 'totals',
    why: 'at least a gigabyte one way at a high rate; how it came in time is not known',
    conditions: [
      is('only totals are known', ({ flow }) => flow.detail === null),
      ...oneLongCopy,
      is('no RDMA', ({ flow }) => !flow.isRdma),
      atLeast('rate', (view) => total(view) / Math.max(1e-3, spanS(view)), 12.5 * mb, ' octets/s'),
    ],
    confidence: () => 'low',
  },
  {
    id: 'kv-transfer-rdma',
    class: 'kv-transfer',
    needs: 'packets',
    why: 'RDMA between two hosts inside, one way, one large burst now and then: the cache of a prompt goes from prefill to decode',
    conditions: [isRdma, ...kvBursts],
    confidence: () => 'high',
  },
  {
    id: 'kv-transfer-tcp',
    class: 'kv-transfer',
    needs: 'packets',
    why: 'one large burst now and then between two hosts inside, one way, between ports of no service',
    conditions: [isTcp, noService, ...kvBursts],
    confidence: () => 'medium',
  },
  {
    id: 'replication-steady',
    class: 'replication',
    needs: 'packets',
    why: 'a long and steady flow between hosts inside, nearly all one way, with no burst that stands out',
    conditions: [
      isTcp,
      isInside,
      octets(20 * mb),
      goesOneWay(0.95),
      atLeast('duration', spanS, 30, ' s'),
      atMost('share of the largest burst', largestShare, 0.2),
      atLeast('bursts', (view) => detail(view)?.bursts ?? null, 20),
      is('not in bursts that keep time', ({ flow }) => !isPeriodic(flow)),
      atMost(
        'requests per second',
        (view) => {
          const known = detail(view);
          return known ? known.requests / Math.max(1, spanS(view)) : null;
        },
        1,
      ),
    ],
    confidence: () => 'low',
  },
  {
    id: 'rag-fan-out',
    class: 'rag-fan-out',
    needs: 'packets',
    why: 'a host inside asks many others within milliseconds, at no fixed time: shards of an index, or tools',
    conditions: [
      isInside,
      atLeast('share of requests in a fan-out', ({ context }) => context.fanOut?.share ?? null, 0.5),
      atLeast('hosts asked at once', ({ context }) => context.fanOut?.hosts ?? null, fanOutHosts),
      atMost('octets per request', perRequest, mb),
      is('not at fixed times', ({ context }) => (context.fanOut?.intervalCv ?? 1) > 0.15),
    ],
    confidence: ({ context }) => ((context.fanOut?.times ?? 0) >= 5 ? 'medium' : 'low'),
  },
  {
    id: 'agent-upload',
    class: 'agent-upload',
    needs: 'packets',
    why: 'requests of tens of kilobytes, each larger than the one before: a conversation with tools that is sent again at every turn',
    conditions: [
      onStream,
      noKeyboard,
      atLeast('requests', (view) => detail(view)?.requests ?? null, 4),
      atLeast('request p50', (view) => detail(view)?.requestP50Bytes ?? null, 16 * 1024, ' octets'),
      atLeast(
        'share of requests that are larger than the one before',
        (view) => {
          const known = detail(view);
          const steps = known ? known.requests - 1 : 0;
          return steps > 0 ? known!.grew / steps : null;
        },
        0.7,
      ),
      atLeast(
        'last request over first',
        (view) => {
          const { firstRequestBytes: first, lastRequestBytes: last } = detail(view) ?? {};
          return first && last ? last / first : null;
        },
        1.05,
      ),
      atLeast('octets up over down', ({ flow }) => flow.octets[0] / Math.max(1, flow.octets[1]), 0.25),
    ],
    confidence: (view) => (isChunked.every(({ of, holds }) => holds(of(view))) ? 'high' : 'medium'),
  },
  {
    id: 'inference-stream',
    class: 'inference-stream',
    needs: 'packets',
    why: 'after a request, many small packets come one by one at the pace of tokens',
    conditions: [
      onStream,
      noKeyboard,
      numeric('request mean', (view) => detail(view)?.requestMeanBytes ?? null, [150, 2 * mb], ' octets'),
      ...isChunked,
    ],
    confidence: ({ flow }) => (flow.protocol === tcp && flow.detail!.responsePackets >= 30 ? 'high' : 'medium'),
  },
  {
    id: 'web',
    class: 'web',
    needs: 'totals',
    why: 'requests and answers on a port of the web',
    conditions: [
      onStreamOrWebUdp(),
      is('port of the web', ({ flow }) => webPorts.has(flow.serverPort)),
      is('octets both ways', ({ flow }) => flow.octets[0] > 0 && flow.octets[1] > 0),
    ],
    confidence: ({ flow }) => ((flow.detail?.requests ?? 0) > 0 && (flow.isTls || flow.isQuic) ? 'medium' : 'low'),
  },
];

/** QUIC cannot be told from other UDP by totals. */
function onStreamOrWebUdp(): Condition {
  return is(
    'TCP, or UDP of QUIC',
    ({ flow }) => flow.protocol === tcp || flow.isQuic || (flow.protocol === udp && flow.detail === null),
  );
}
