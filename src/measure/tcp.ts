import * as z from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import { portOf } from './url.ts';
import { eachLink } from './each-link.ts';
import type { Probe } from './probe.ts';

export const tcpOptions = z.strictObject({
  count: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({ description: 'Connections to make, one after the other.' }),
  intervalMs: z.number().min(0).max(60_000).default(100).meta({ description: 'Pause between two connections, ms.' }),
  timeoutMs: z.number().positive().max(60_000).default(5000).meta({ description: 'Longest wait for one, ms.' }),
});

/** Opens and closes connections to the endpoint's port: SYN to SYN-ACK by the kernel's own measure, and SYNs that were lost. */
export const tcpProbe: Probe<typeof tcpOptions> = {
  kind: 'tcp',
  about: 'TCP handshake to the port of the endpoint, as a new connection sees it',
  options: tcpOptions,
  async *run(target, options, io, signal) {
    // Only the handshake is asked for: the scheme says nothing about TLS here, the port stays that of the URL.
    const bare = new URL(`http://${target.url.hostname}:${portOf(target.url)}/`);
    const { family, resolve } = target;
    const link = { family, resolve, http2: false, insecure: true, connectTimeoutMs: options.timeoutMs };
    for await (const { at, address, outcome, stamps, link: made } of eachLink(bare, link, options, io, signal)) {
      const trace = made?.tcp.trace;
      const byClock = trace && trace.connectedMs !== null ? trace.connectedMs - trace.connectMs : null;
      yield {
        kind: 'tcp',
        at,
        from: target.vantage,
        to: target.name,
        how: stamps === 'kernel' ? 'round trip by the kernel (TCP_INFO)' : 'user clock around connect()',
        outcome,
        address,
        rttMs: trace?.handshakeRttMs ?? byClock,
        synRetransmits: trace?.synRetransmits ?? null,
      } satisfies ObservationOf<'tcp'>;
    }
  },
};
