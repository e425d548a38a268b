import * as z from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import { eachLink } from './each-link.ts';
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
    const { family, resolve, ca, clientCert, clientKey } = target;
    const trust = { ca, clientCert, clientKey, insecure: true };
    const link = { family, resolve, http2: true, ...trust, connectTimeoutMs: options.timeoutMs };
    const pace = { count: options.count, intervalMs: 0 };
    for await (const { at, address, outcome, stamps, link: made } of eachLink(target.url, link, pace, io, signal)) {
      const tls = made?.setUp.tls;
      yield {
        kind: 'tls',
        at,
        from: target.vantage,
        to: target.name,
        how: `Node's TLS over ${stamps === 'kernel' ? 'a socket with kernel stamps' : 'its own socket'}`,
        outcome,
        address,
        durationMs: tls ? tls.endMs - tls.startMs : null,
        rttMs: made?.tcp.trace.handshakeRttMs ?? null,
        tls: made?.tls ?? null,
      } satisfies ObservationOf<'tls'>;
    }
  },
};
