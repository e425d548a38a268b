import { z } from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import { formatTarget } from '../wire/tcp/connection.ts';
import { portOf } from './dns.ts';
import { type Link, LinkError, openLink } from './inference/link.ts';
import type { Probe } from './probe.ts';

export const tlsOptions = z.strictObject({
  count: z.number().int().min(1).max(100).default(2).meta({ description: 'Handshakes to make, one after the other.' }),
  timeoutMs: z.number().positive().max(60_000).default(5000).meta({ description: 'Longest wait for one, ms.' }),
});

/**
 * Full TLS handshakes with the endpoint: how long, what was agreed, what certificate. Nothing is sent inside, so an untrusted
 * certificate is looked at rather than refused. An endpoint without TLS yields nothing.
 */
export const tlsProbe: Probe<typeof tlsOptions> = {
  kind: 'tls',
  about: 'TLS handshake: duration, version, group and certificate',
  options: tlsOptions,
  async *run(target, options, io, signal) {
    if (target.url.protocol !== 'https:') return;
    const transport = io.sockets.openTcp({ tap: false });
    try {
      for (let i = 0; i < options.count && !signal.aborted; i++) {
        const base = {
          kind: 'tls' as const,
          at: new Date(io.clock.wallMs()).toISOString(),
          from: target.vantage,
          to: target.name,
          how: `Node's TLS over ${transport.stamps === 'kernel' ? 'a socket with kernel stamps' : 'its own socket'}`,
        };
        const { family, resolve, ca, clientCert, clientKey } = target;
        const trust = { ca, clientCert, clientKey, insecure: true };
        const link = { family, resolve, http2: true, ...trust, connectTimeoutMs: options.timeoutMs };
        let opened: Link | null = null;
        try {
          opened = await openLink(target.url, link, transport, io, signal);
          const { trace } = opened.tcp;
          const { tls } = opened.setUp;
          yield {
            ...base,
            outcome: { kind: 'answered' },
            address: formatTarget(trace.target),
            durationMs: tls ? tls.endMs - tls.startMs : null,
            rttMs: trace.handshakeRttMs,
            tls: opened.tls,
          } satisfies ObservationOf<'tls'>;
        } catch (error) {
          if (!(error instanceof LinkError)) throw error;
          const address = `${target.url.hostname}:${portOf(target.url)}`;
          yield {
            ...base,
            outcome: error.outcome,
            address,
            durationMs: null,
            rttMs: null,
            tls: null,
          } satisfies ObservationOf<'tls'>;
        }
        await opened?.close();
      }
    } finally {
      await transport.close();
    }
  },
};
