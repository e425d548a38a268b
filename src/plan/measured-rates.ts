import type { Observation } from '../model/observation.ts';

/** The best that a transfer from one site to another has reached. */
export interface MeasuredRate {
  from: string;
  to: string;
  /** What the receiver got, Gbit/s: at least so much fits through. */
  gbps: number;
  /**
   * Datagrams were sent faster than this and did not arrive: no more fitted through at that time. TCP never shows that, for it
   * slows down for other reasons, too.
   */
  isFull: boolean;
  /** How many transfers it is the best of. */
  n: number;
  how: string;
}

interface Transfer {
  from: string;
  to: string;
  direction: 'up' | 'down';
  mbitPerS: number;
  isFull: boolean;
  words: string;
}

/** Datagrams that are lost beyond this share of those sent are more than the path carries. */
const fullLossShare = 0.01;

/** Best rate of every direction between two sites, by `ratesKey`. */
export function measuredRates(
  siteOf: ReadonlyMap<string, string>,
  observations: readonly Observation[],
): Map<string, MeasuredRate> {
  const rates = new Map<string, MeasuredRate>();
  for (const transfer of observations.flatMap(transfersOf)) {
    const [a, b] = [siteOf.get(transfer.from), siteOf.get(transfer.to)];
    if (a === undefined || b === undefined || a === b || !(transfer.mbitPerS > 0)) continue;
    const [from, to] = transfer.direction === 'up' ? [a, b] : [b, a];
    const known = rates.get(ratesKey(from, to));
    const n = (known?.n ?? 0) + 1;
    const gbps = transfer.mbitPerS / 1000;
    const best =
      known && known.gbps >= gbps ? known : { from, to, gbps, isFull: transfer.isFull, n, how: transfer.words };
    rates.set(ratesKey(from, to), { ...best, n });
  }
  return rates;
}

export const ratesKey = (from: string, to: string): string => `${from} → ${to}`;

function transfersOf(observation: Observation): Transfer[] {
  const { from, to } = observation;
  if (observation.kind === 'throughput')
    return (observation.test?.directions ?? []).map(({ direction, mbitPerS, udp, limitedBy }) => ({
      from,
      to,
      direction,
      mbitPerS,
      isFull: udp !== null && udp.lossShare > fullLossShare,
      words: `${observation.test!.protocol.toUpperCase()}, ${streams(observation.test!.parallel)}; held back by: ${limitedBy.cause}`,
    }));
  if (observation.kind !== 'transfer' || observation.receiverMbitPerS === null) return [];
  const { direction, protocol, receiverMbitPerS, udp, streams: count } = observation;
  return [
    {
      from,
      to,
      direction,
      mbitPerS: receiverMbitPerS,
      isFull: udp !== null && udp.packets > 0 && udp.lost / udp.packets > fullLossShare,
      words: `${protocol === 'unknown' ? 'transfer' : protocol.toUpperCase()}${count === null ? '' : `, ${streams(count)}`}, imported`,
    },
  ];
}

const streams = (count: number): string => `${count} ${count === 1 ? 'stream' : 'streams'}`;
