import { Counter, LAG_BUCKETS } from '../../wire/batch/columns.ts';
import type { PingReport } from '../../model/ping-report.ts';
import type { SweepMethod } from '../../wire/batch/job.ts';
import type { SweepEnd } from '../../wire/batch/sweep.ts';
import type { SweepResult } from './run.ts';

/** Which way the round trips were had, what stamps they stand on and what this way cannot see. */
export function describeHow({ method, end, failed, fallback, plan, columns }: SweepResult): string {
  const because = fallback === '' ? '' : `; ${fallback}`;
  if (end === null) return `${methodWords[method]}: ${failed?.operation} failed with ${failed?.errno}${because}`;
  const stamps =
    end.calibration === null
      ? 'round trips of the kernel (TCP_INFO), a reset by our own clock, 0.99 s of patience because then the SYN is sent again'
      : !end.calibration.stamped
        ? 'no kernel stamps on this host: times are those of our own clock'
        : plan.stampEvery === 1 || method === 'tls'
          ? 'kernel stamps of sending and receiving'
          : `kernel stamps of receiving and of every ${plan.stampEvery}th packet sent, interpolated between`;
  const silent = columns.counters[Counter.answered] === 0 ? `; ${unseen[method]}` : '';
  const server = method === 'tls' ? SERVER_TIME : '';
  return `${methodWords[method]} by ${end.sockets.join(' and ') || 'no socket'}, ${stamps}${nicWords(columns, end)}${server}${because}${silent}`;
}

/** How many round trips stand on stamps of the network card; nothing where no card offers any. */
function nicWords({ counters }: SweepResult['columns'], { nic }: SweepEnd): string {
  const names = nic?.interfaces.join(', ');
  if (nic?.state === 'off') return `; ${names} could stamp in hardware, which is switched off`;
  if (nic?.state !== 'on') return '';
  return `; ${counters[Counter.nicStamped]} of ${counters[Counter.answered]} round trips by hardware stamps of ${names}`;
}

const SERVER_TIME =
  ", the server's own time to answer (a HelloRetryRequest or an alert) included, the handshake goes no further";
const methodWords: Record<SweepMethod, string> = {
  icmp: 'ICMP echo',
  udp: 'UDP to a closed port, answered by ICMP port unreachable',
  'tcp-syn': 'TCP SYN, half-open',
  'tcp-connect': 'TCP connect',
  tls: 'TLS ClientHello, first octet back',
};
const unseen: Record<SweepMethod, string> = {
  icmp: 'no reply at all: ICMP may be filtered on the way',
  udp: 'no answer at all: hosts limit and filters drop ICMP port unreachable, so silence is not loss',
  'tcp-syn': 'no answer at all: the port may be filtered',
  'tcp-connect': 'no answer at all: the port may be filtered',
  tls: 'no answer at all: the port may be filtered, or not speak TLS',
};

/** What this machine did to the measurement. */
export function clientReport({ columns: { counters }, end }: SweepResult): PingReport['client'] {
  const scheduled = counters[Counter.scheduled]!;
  const calibration = end?.calibration;
  return {
    scheduleLagMeanMs: scheduled === 0 ? null : counters[Counter.lagSumMs]! / scheduled,
    scheduleLagP99Ms: scheduled === 0 ? null : lagQuantile(counters, scheduled, 0.99),
    scheduleLagMaxMs: scheduled === 0 ? null : counters[Counter.lagMaxMs]!,
    ownDrops: counters[Counter.ownDrops]!,
    foreign: counters[Counter.foreign]!,
    clockStepMs: end?.clockStepMs ?? 0,
    receiveBufferBytes: end?.receiveBuffer ?? 0,
    nicStamps: end?.nic ? { ...end.nic, roundTrips: counters[Counter.nicStamped]! } : null,
    calibration: {
      packets: calibration?.packets ?? 0,
      stampToStampMs: known(calibration?.stampToStampMs),
      stampToStampP95Ms: known(calibration?.stampToStampP95Ms),
      userToStampMs: known(calibration?.userToStampMs),
      userToStampP95Ms: known(calibration?.userToStampP95Ms),
    },
  };
}

/** Upper edge of the bucket (a power of two of a microsecond) that holds the quantile, in ms. */
function lagQuantile(counters: Float64Array, scheduled: number, p: number): number {
  let seen = 0;
  for (let i = 0; i < LAG_BUCKETS; i++) {
    seen += counters[Counter.lagBuckets + i]!;
    if (seen >= p * scheduled) return 2 ** i / 1e3;
  }
  return counters[Counter.lagMaxMs]!;
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
