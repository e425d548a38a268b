import { isIP } from 'node:net';
import * as z from 'zod';
import { listenAddress } from '../lab/reflect/options.ts';
import { stampLimits, startStampReflector, type StampReflector } from '../lab/reflect/stamp/stamp-reflector.ts';
import type { StampStats } from '../lab/reflect/stamp/stats.ts';
import type { Io } from '../wire/io.ts';
import { type FlagValues, UsageError } from './command.ts';
import { shownVariable } from './no-secrets.ts';

const group = 'STAMP (RFC 8762)';

/** Flags of `inferpath reflect` that concern its STAMP reflector. */
export const stampFlags = {
  stamp: {
    schema: z.boolean().default(false),
    about: 'Also reflect STAMP test packets over UDP, on 127.0.0.1:8620 unless --stamp-listen says otherwise.',
    group,
  },
  stampListen: {
    schema: listenAddress.optional(),
    about: 'IP address and UDP port to reflect on; implies --stamp; port 862, the registered one, needs privilege.',
    value: 'IP:PORT',
    group,
  },
  stampStateless: {
    schema: z.boolean().default(false),
    about:
      'Copy the sender number instead of counting per session: senders then cannot tell which way packets got lost.',
    group,
  },
  stampSizes: {
    schema: z.boolean().default(false),
    about: 'Heed the experimental "reply size" TLV, by which the MTU of each direction can be measured by itself.',
    group,
  },
  stampKeyEnv: {
    schema: z.string().min(1).optional(),
    about: 'Environment variable with a shared key: only authenticated packets (HMAC-SHA-256) are answered.',
    value: 'NAME',
    group,
  },
  stampRate: {
    schema: z.coerce.number().int().min(1).max(1_000_000).default(stampLimits.perSecond),
    about: `Packets answered per second at most, over all senders; default ${stampLimits.perSecond}.`,
    value: 'N',
    group,
  },
} as const;

export type StampFlags = FlagValues<typeof stampFlags>;

/** The STAMP reflector that the flags ask for; null for none. */
export async function startStamp(flags: StampFlags, io: Io): Promise<StampReflector | null> {
  const { stamp, stampListen, stampStateless, stampSizes, stampRate } = flags;
  if (!stamp && stampListen === undefined) return null;
  if (io.platform !== 'linux') throw new UsageError(`--stamp: found platform ${io.platform}; allowed: linux`);
  const { host, port } = stampListen ?? { host: '127.0.0.1', port: 8620 };
  if (isIP(host) === 0) throw new UsageError(`--stamp-listen: found "${host}"; allowed: an IP address and a port`);
  try {
    return await startStampReflector({
      address: host,
      port,
      stateful: !stampStateless,
      sizes: stampSizes,
      key: readKey(flags, io),
      limits: { ...stampLimits, perSecond: stampRate },
    });
  } catch (error) {
    throw explain(error, host, port);
  }
}

function readKey({ stampKeyEnv }: StampFlags, io: Io): Buffer | null {
  if (stampKeyEnv === undefined) return null;
  const key = io.env[stampKeyEnv];
  if (!key)
    throw new UsageError(`--stamp-key-env: the environment has no ${shownVariable(stampKeyEnv)}, or it is empty`);
  return Buffer.from(key);
}

/** A port that cannot be had is the user's to solve; anything else is ours. */
function explain(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string };
  const where = `--stamp-listen: cannot listen on ${host} UDP port ${port}: ${code}`;
  if (code === 'EACCES')
    return new UsageError(
      where,
      'ports below 1024 need root, CAP_NET_BIND_SERVICE or net.ipv4.ip_unprivileged_port_start',
    );
  if (code === 'EADDRINUSE') return new UsageError(where, 'another program has the port; choose another one, or 0');
  if (code === 'EADDRNOTAVAIL') return new UsageError(where, 'this host has no such address');
  return error;
}

/** One line of what a STAMP reflector did. */
export function stampSummary(stats: StampStats): string {
  const { received, reflected, malformed, unauthenticated, rateLimited, sessionsFull, unsent, dropped } = stats;
  const reasons = [
    [malformed, 'malformed'],
    [unauthenticated, 'not authenticated'],
    [rateLimited, 'over the rate limit'],
    [sessionsFull, 'without a free session'],
    [unsent, 'not sendable'],
    [dropped, 'dropped by the kernel before we read them'],
  ] as const;
  const why = reasons.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`);
  return `STAMP: ${reflected} of ${received + dropped} packets reflected${why.length > 0 ? ` (${why.join(', ')})` : ''}`;
}
