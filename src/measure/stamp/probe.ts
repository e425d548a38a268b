import * as z from 'zod';
import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { StampSummary } from '../../model/stamp.ts';
import { errnoOf, holdStamps, isNoRoute } from '../../wire/error-queue.ts';
import type { Io } from '../../wire/io.ts';
import { resolveTarget } from '../dns.ts';
import type { Probe, Target } from '../probe.ts';
import { leastBytes, runStampSession, type StampPeer, type StampSession } from './session.ts';
import { type StampRun, summariseStamp } from './summary.ts';

export const stampOptions = z
  .strictObject({
    count: z.number().int().min(1).max(1_000_000).default(100).meta({ description: 'Packets to send.' }),
    intervalMs: z
      .number()
      .min(1)
      .max(60_000)
      .default(50)
      .meta({ description: 'Time between the due times of two packets, ms.' }),
    timeoutMs: z.number().min(1).max(60_000).default(1000).meta({
      description: 'An answer later than this is lost, ms.',
    }),
    bytes: z.number().int().min(44).max(65_507).default(44).meta({
      description:
        'UDP payload of a packet, octets: 44, or 48 and more; the answer is as long. Authenticated: 112, or 116 and more.',
    }),
    dscp: z.number().int().min(0).max(63).optional().meta({
      description: 'DSCP to mark packets with, both ways; also tells with which one they reach the reflector.',
    }),
    key: z.string().min(1).optional().meta({ description: 'Shared key of authenticated mode.' }),
    port: z.number().int().min(1).max(65_535).optional().meta({ description: 'UDP port; that of the URL by default.' }),
  })
  .transform((options) => ({ ...options, bytes: roomFor(options) }));
type StampOptions = z.output<typeof stampOptions>;

/** What was asked for, or the next larger size that a packet can have. */
function roomFor({ bytes, dscp, key }: { bytes: number; dscp?: number | undefined; key?: string | undefined }): number {
  const least = leastBytes(dscp ?? null, key === undefined ? 'open' : 'authenticated');
  return bytes <= least ? least : Math.max(bytes, least + 4);
}

export interface StampSockets {
  run: typeof runStampSession;
  holdStamps: typeof holdStamps;
}

export function makeStampProbe(sockets: StampSockets): Probe<typeof stampOptions> {
  return {
    kind: 'stamp',
    about: 'Loss, delay variation and order of each direction apart, against a STAMP reflector (RFC 8762)',
    options: stampOptions,
    run: (target, options, io, signal) => measureStamp(target, options, io, signal, () => undefined, sockets),
  };
}

const kernelSockets: StampSockets = { run: runStampSession, holdStamps };
export const stampProbe = makeStampProbe(kernelSockets);

/** The probe with a look at the run while it goes on: `progress` is called about every millisecond. */
export async function* measureStamp(
  target: Target,
  options: StampOptions,
  io: Io,
  signal: AbortSignal,
  progress: (run: StampRun) => void,
  sockets: StampSockets = kernelSockets,
): AsyncIterable<ObservationOf<'stamp'>> {
  const at = new Date(io.clock.wallMs()).toISOString();
  const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
  const [first] = addresses;
  const to = { address: first?.address ?? '', family: first?.family ?? 4, port: options.port ?? port };
  const head = {
    kind: 'stamp' as const,
    at,
    from: target.vantage,
    to: target.name,
    address: to.address,
    port: to.port,
  };
  const nothing = (outcome: Outcome, how: string) => ({ ...head, summary: null, outcome, how });
  if (first === undefined) return yield nothing(outcome, how);
  if (io.platform !== 'linux') {
    const message = `STAMP needs the sockets of Linux, not of ${io.platform}`;
    return yield nothing(failure('ENOTSUP', 'socket', to.address, message), message);
  }
  const release = await sockets.holdStamps((ms) => io.clock.sleep(ms, signal));
  try {
    const session = await sockets.run(to, sessionOptions(options), io, signal, progress);
    const summary = summariseStamp(session);
    const told = session.packets.length > 0 ? summary : null;
    const outcome = outcomeOf(session, summary, to);
    yield { ...head, summary: told, outcome, how: howOf(summary, outcome, options) };
  } catch (error) {
    const errno = errnoOf(error);
    yield nothing(failure(errno, 'socket', to.address, `socket ${to.address}: ${errno}`), 'UDP socket');
  } finally {
    release();
  }
}

function sessionOptions({ count, intervalMs, timeoutMs, bytes, dscp, key }: StampOptions) {
  return { count, intervalMs, timeoutMs, bytes, dscp: dscp ?? null, key: key === undefined ? null : Buffer.from(key) };
}

function outcomeOf(session: StampSession, summary: StampSummary, { address }: StampPeer): Outcome {
  if (summary.answered > 0) return { kind: 'answered' };
  const { refused, lastErrno, interrupted } = session;
  if (refused?.port) return { kind: 'refused', address };
  if (refused) return { kind: 'unreachable', by: refused.by, message: refused.message };
  if (lastErrno !== null && isNoRoute(lastErrno))
    return { kind: 'unreachable', by: 'this host', message: `send ${address}: ${lastErrno}` };
  if (lastErrno !== null && summary.sendFailures >= summary.sent)
    return failure(lastErrno, 'send', address, `send ${address}: ${lastErrno}`);
  return { kind: interrupted ? 'interrupted' : 'lost' };
}

function failure(errno: string, operation: string, address: string, message: string): Outcome {
  return { kind: 'failed', phase: 'wait', operation, errno, address, message };
}

function howOf({ kernelStamped, counting }: StampSummary, { kind }: Outcome, { key }: StampOptions): string {
  if (kind === 'lost') return 'STAMP over UDP; no answer: the reflector may be silent, filtered or not there';
  if (kind !== 'answered') return 'STAMP over UDP';
  const stamps =
    kernelStamped === 1
      ? 'kernel stamps of T1 and T4'
      : `kernel stamps of T1 and T4 for ${Math.floor(kernelStamped * 100)} % of the packets, else user clock`;
  const numbers = {
    stateful: 'the reflector counts per session',
    stateless: 'the reflector repeats our numbers, so loss has no direction',
    unknown: 'too few answers to know whether the reflector counts per session',
    odd: "the reflector's numbers make no sense, so loss has no direction",
  }[counting];
  return `STAMP ${key === undefined ? 'unauthenticated' : 'authenticated'} over UDP, ${stamps}; ${numbers}`;
}
