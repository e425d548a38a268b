import type { MtuDirection, TcpSizes } from '../../model/mtu.ts';
import { tcpHeaderBytes } from '../../model/mtu-hints.ts';
import type { SegmentSizes } from '../../wire/mss-probe.ts';
import type { Drive } from './drive.ts';
import type { SearchResult } from './search.ts';

/** Beyond this chance that loss explains the silence, no limit is claimed. */
const DOUBT = 0.05;
/** Linux sends no segment above half of the peer's window: above this the MSS says nothing about the path. */
const HALF_WINDOW_BYTES = 32_700;
/** `by` of a limit that the own host set. */
export const THIS_HOST = 'this host';

export interface Circumstances {
  /** From here to the target, or back. */
  way: 'forward' | 'reverse';
  /** Why no larger size was tried, in words. */
  maxReason: string;
  interrupted: boolean;
  drive: Drive;
}

/** What a search says about one direction, in the words of the report. The hop is looked for afterwards. */
export function verdictOf(result: SearchResult, circumstances: Circumstances): MtuDirection {
  const { confirmedBytes, refutedBytes, saidBy, chanceOfLoss } = result;
  const ownLimit = saidBy?.by === THIS_HOST;
  const base = {
    confirmedBytes,
    refutedBytes,
    by: saidBy?.by ?? null,
    saidMtuBytes: saidBy?.mtuBytes ?? null,
    chanceOfLoss,
    hop: null,
  };
  if (confirmedBytes === null) return { ...base, verdict: 'unknown', why: whyNothing(result, circumstances) };
  if (result.state !== 'complete') return { ...base, verdict: 'unknown', why: whyUnfinished(result, circumstances) };
  if (refutedBytes === null)
    return {
      ...base,
      verdict: 'no-limit',
      why: `packets of ${confirmedBytes} octets arrive; ${circumstances.maxReason}`,
    };
  if (ownLimit)
    return {
      ...base,
      verdict: 'no-limit',
      why: `packets of ${confirmedBytes} octets arrive; this host itself sends none larger`,
    };
  if (circumstances.way === 'reverse') return reversed(base, saidBy);
  const edge = `packets of ${confirmedBytes} octets arrive and of ${refutedBytes} do not`;
  if (saidBy) {
    const said = saidBy.mtuBytes === null ? 'says "too big" and names no MTU' : `says "too big, ${saidBy.mtuBytes}"`;
    return { ...base, verdict: 'icmp-confirmed', why: `${saidBy.by} ${said}; ${edge}` };
  }
  const chance = `chance that this is loss: ${percent(chanceOfLoss ?? 1)}`;
  if ((chanceOfLoss ?? 1) > DOUBT)
    return { ...base, verdict: 'unknown', why: `${edge}, but the path loses too much to tell (${chance})` };
  return { ...base, verdict: 'black-hole', why: `${edge}, and nobody says "too big" (${chance})` };
}

/** ICMP messages about the way back go to the reflector's host: whether there are any cannot be seen. */
function reversed(base: Omit<MtuDirection, 'verdict' | 'why'>, saidBy: SearchResult['saidBy']): MtuDirection {
  const { confirmedBytes, refutedBytes, chanceOfLoss } = base;
  const edge = `packets of ${confirmedBytes} octets arrive and of ${refutedBytes} do not`;
  if (saidBy) return { ...base, verdict: 'limited', why: `${edge}: ${saidBy.by} takes no larger ones` };
  if ((chanceOfLoss ?? 1) > DOUBT) return { ...base, verdict: 'unknown', why: `${edge}, but too much is lost to tell` };
  const chance = percent(chanceOfLoss ?? 1);
  return {
    ...base,
    verdict: 'limited',
    why: `${edge} (chance that this is loss: ${chance}); whether the reflector's host is told cannot be seen from here`,
  };
}

function whyNothing({ tallies }: SearchResult, { drive, interrupted, maxReason }: Circumstances): string {
  if (drive.failure) return `this host could not send: ${drive.failure.errno}`;
  if (drive.unreachable) return `${drive.unreachable.by} says: ${drive.unreachable.message}`;
  const sizes = tallies.map(({ sizeBytes }) => sizeBytes).join(' and ');
  if (interrupted) return 'stopped before anything was answered';
  return sizes === ''
    ? maxReason
    : `packets of ${sizes} octets are not answered: nothing can be said about larger ones`;
}

function whyUnfinished({ confirmedBytes, refutedBytes }: SearchResult, { drive, interrupted }: Circumstances): string {
  const bounds = `${confirmedBytes} octets arrive${refutedBytes === null ? '' : `, ${refutedBytes} do not`}`;
  if (drive.failure) return `${bounds}; then this host could not send: ${drive.failure.errno}`;
  return interrupted ? `stopped early: ${bounds}` : `too many probes without a clear answer: ${bounds}`;
}

function percent(chance: number): string {
  const value = chance * 100;
  return value < 0.01 ? '< 0.01 %' : `${Number(value.toPrecision(2))} %`;
}

/** What TCP makes of the path: the size of its packets, who limits it, and whether that fits. */
export function tcpSizesOf(
  sizes: SegmentSizes,
  { family, port, interfaceMtuBytes }: { family: 4 | 6; port: number; interfaceMtuBytes: number | null },
): TcpSizes {
  const header = tcpHeaderBytes(family);
  const mssBytes = sizes.sendMssBytes + sizes.optionBytes;
  const packetBytes = mssBytes + header;
  const byPeer = packetBytes < sizes.pathMtuBytes && packetBytes < HALF_WINDOW_BYTES;
  const byKernel = interfaceMtuBytes !== null && sizes.pathMtuBytes < Math.min(interfaceMtuBytes, 0xffff);
  return {
    port,
    packetBytes,
    mssBytes,
    advertisedMssBytes: sizes.advertisedMssBytes + sizes.optionBytes,
    kernelMtuBytes: sizes.pathMtuBytes,
    limitedBy: byPeer ? 'peer' : byKernel ? 'kernel' : 'interface',
    fits: null,
  };
}

/** Completes what TCP sends by what the path carries. */
export function fitTcp(tcp: TcpSizes | null, { confirmedBytes, refutedBytes }: MtuDirection): TcpSizes | null {
  if (!tcp) return null;
  const fits =
    confirmedBytes !== null && tcp.packetBytes <= confirmedBytes
      ? true
      : refutedBytes !== null && tcp.packetBytes >= refutedBytes
        ? false
        : null;
  return { ...tcp, fits };
}
