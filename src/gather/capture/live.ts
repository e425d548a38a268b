import type { Clock } from '../../wire/io.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { linkTypeOfInterface, PacketRing, type RingStatistics } from '../../wire/packet-ring.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { compileFilter } from './live-filter.ts';
import { tcpdumpCapture } from './live-tcpdump.ts';

export interface LiveOptions {
  /**
   * Octets of each packet that are looked at. The default has the headers, with options and tunnels, and of most payloads nothing:
   * whose words they are is nobody's business here.
   */
  snapLength?: number;
  /** Text of pcap-filter(7), compiled by tcpdump and run in the kernel. */
  filter?: string;
  /** Also what is addressed to others. */
  promiscuous?: boolean;
  /** The way: default the ring, and tcpdump where the ring cannot be had. */
  way?: 'ring' | 'tcpdump';
  ringBytes?: number;
}

export interface LiveStatistics {
  /** Packets that passed the filter, as the kernel counts them; null until it says. */
  packets: number | null;
  /** Of these, dropped by the kernel because we were too slow; null until it says. */
  drops: number | null;
  /** How often the kernel found the ring full; null: this way does not tell. */
  freezes: number | null;
}

/** Packets of an interface as they come, in the shape that the reader of files gives them. */
export interface LiveCapture {
  /** How they are obtained, in words, and why not better. */
  how: string;
  linkType: number;
  snapLength: number;
  /** The next packet, into `frame`, whose octets hold until the call after. False: none is there now. */
  next(frame: Frame): boolean;
  /** Sleeps until there is one, at most so long. */
  wait(maxMs: number): Promise<void>;
  /** Why there will be no more: the interface went down, tcpdump ended; null: more may come. */
  ended(): string | null;
  statistics(): LiveStatistics;
  /** The counts are complete when it resolves. */
  close(): Promise<LiveStatistics>;
}

export const defaultSnapLength = 128;
/** Frames are looked for so often. The ring holds what comes meanwhile, for seconds. */
const lookEveryMs = 5;
/** ENETDOWN is asked for only when nothing comes. */
const troubleEveryMs = 250;
/** What says that there is no ring to be had here, but tcpdump may have privileges of its own. */
const refusals: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOPROTOOPT', 'EINVAL', 'ENOMEM']);

/**
 * Opens an interface, or `any` for all of them. A filter over all interfaces goes through tcpdump, which alone knows where the fields
 * are then.
 * @throws SystemCallError where the interface does not exist or nothing may capture, FilterError where tcpdump refuses the filter
 */
export async function openInterface(
  name: string,
  options: LiveOptions,
  io: { platform: string; clock: Pick<Clock, 'monoMs' | 'sleep'> },
): Promise<LiveCapture> {
  const { filter, way } = options;
  if (way === 'tcpdump') return tcpdumpCapture(name, options, io, 'as asked');
  if (io.platform !== 'linux')
    return tcpdumpCapture(name, options, io, `packet rings need Linux, this is ${io.platform}`);
  if (filter !== undefined && name === 'any')
    return tcpdumpCapture(name, options, io, 'filters over all interfaces are its own');
  try {
    return await openRing(name, options, io);
  } catch (error) {
    const isRefused = error instanceof SystemCallError && refusals.has(error.errno);
    if (!isRefused || way === 'ring') throw error;
    return tcpdumpCapture(name, options, io, `no packet ring: ${error.message}`);
  }
}

async function openRing(
  name: string,
  options: LiveOptions,
  { clock }: { clock: Pick<Clock, 'monoMs' | 'sleep'> },
): Promise<LiveCapture> {
  const { snapLength = defaultSnapLength, filter, promiscuous = false, ringBytes } = options;
  // Before tcpdump is asked about an interface that does not exist.
  linkTypeOfInterface(name);
  const program = filter === undefined ? undefined : await compileFilter(name, filter, snapLength);
  const ring = new PacketRing(name, {
    snapLength,
    promiscuous,
    ...(program === undefined ? {} : { filter: program }),
    ...(ringBytes === undefined ? {} : { ringBytes }),
  });
  let trouble: string | null = null;
  let askedMs = clock.monoMs();
  return {
    how: `AF_PACKET ring (TPACKET_V3), kernel time stamps in nanoseconds, ${snapLength} octets of each packet`,
    linkType: ring.linkType,
    snapLength,
    next: (frame) => ring.next(frame),
    ended: () => trouble,
    wait: async (maxMs) => {
      const untilMs = clock.monoMs() + maxMs;
      for (;;) {
        const nowMs = clock.monoMs();
        if (ring.isReady() || nowMs >= untilMs) return;
        if (nowMs - askedMs >= troubleEveryMs) {
          askedMs = nowMs;
          const errno = ring.trouble();
          if (errno !== null) trouble = `interface ${name}: ${errno}`;
          if (errno !== null) return;
        }
        await clock.sleep(Math.min(lookEveryMs, untilMs - nowMs));
      }
    },
    statistics: () => statisticsOf(ring.statistics()),
    close: () => {
      ring.close();
      return Promise.resolve(statisticsOf(ring.statistics()));
    },
  };
}

const statisticsOf = ({ packets, drops, freezes }: RingStatistics): LiveStatistics => ({ packets, drops, freezes });
