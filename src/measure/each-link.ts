import type { Outcome } from '../model/outcome.ts';
import type { Io } from '../wire/io.ts';
import { formatTarget } from '../wire/tcp/connection.ts';
import { portOf } from './url.ts';
import { type Link, LinkError, type LinkOptions, openLink } from './inference/link.ts';

/** One set-up, as far as it came; `link` is open while the consumer looks at it, and null when there is none. */
export interface Attempt {
  at: string;
  address: string;
  outcome: Outcome;
  stamps: 'kernel' | 'user';
  link: Link | null;
}

/** Makes and closes connections to `url`, one after the other. Ends by itself or when the signal aborts. */
export async function* eachLink(
  url: URL,
  link: LinkOptions,
  { count, intervalMs }: { count: number; intervalMs: number },
  io: Io,
  signal: AbortSignal,
): AsyncIterable<Attempt> {
  const transport = io.sockets.openTcp({ tap: false });
  const { stamps } = transport;
  try {
    for (let i = 0; i < count && !signal.aborted; i++) {
      if (i > 0) await io.clock.sleep(intervalMs, signal).catch(() => undefined);
      const at = new Date(io.clock.wallMs()).toISOString();
      let opened: Link;
      try {
        opened = await openLink(url, link, transport, io, signal);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        yield { at, address: `${url.hostname}:${portOf(url)}`, outcome: error.outcome, stamps, link: null };
        continue;
      }
      try {
        yield {
          at,
          address: formatTarget(opened.tcp.trace.target),
          outcome: { kind: 'answered' },
          stamps,
          link: opened,
        };
      } finally {
        await opened.close();
      }
    }
  } finally {
    await transport.close();
  }
}
