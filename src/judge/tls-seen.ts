import type { TlsSummary } from '../model/inference.ts';
import type { Subject } from './per-endpoint.ts';
import { requestsOf } from './samples.ts';

/** What every TLS handshake with the endpoint agreed on. */
export function tlsSeen({ view, name }: Subject): TlsSummary[] {
  const probed = view.of('tls', name).map((o) => o.tls);
  const asked = requestsOf(view, name).map((r) => r.tls);
  return [...probed, ...asked].filter((tls) => tls !== null);
}
