import { isIP } from 'node:net';
import type { Observation } from '../../model/observation.ts';
import type { Phases, TlsSummary } from '../../model/inference.ts';
import type { MetricFamily, MetricHead, Labels } from '../../report/openmetrics.ts';
import { addressOctets, parseAddress } from '../../model/cidr.ts';
import { sampleOf } from '../../store/sample-of.ts';
import type { OnDemandResult } from '../on-demand.ts';

/**
 * What one probe on demand says, in the names, labels and units of blackbox_exporter 0.23 for the shared part.
 * @returns null where the probe says nothing about the endpoint: a fault of ours is no answer
 */
export function probeFamilies({ observations, durationMs, timedOut }: OnDemandResult): MetricFamily[] | null {
  const samples = observations.map(sampleOf);
  if (!timedOut && !samples.some(({ verdict }) => verdict !== 'unknown')) return null;
  const isSuccess = !timedOut && samples.length > 0 && samples.every(({ verdict }) => verdict === 'ok');
  const families = [
    gauge('probe_success', 'Displays whether or not the probe was a success', isSuccess ? 1 : 0),
    gauge('probe_duration_seconds', 'Returns how long the probe took to complete in seconds', durationMs / 1000),
  ];
  for (const one of observations) families.push(...ofObservation(one));
  for (const { kind, metrics } of samples)
    for (const [metric, name, help, scale] of own) {
      const value = metrics[metric];
      if (value !== undefined && !(metric === 'rttMs' && kind === 'ping'))
        families.push(gauge(name, help, value * scale));
    }
  // One of each name: a probe that looks twice says the last.
  return [...new Map(families.map((family) => [family.name, family])).values()];
}

const own = [
  ['rttMs', 'inferpath_probe_rtt_seconds', 'Network round trip.', 1e-3],
  ['ttftMs', 'inferpath_probe_ttft_seconds', 'Time to the first token.', 1e-3],
  ['gapMaxMs', 'inferpath_probe_token_gap_max_seconds', 'Longest gap between two tokens.', 1e-3],
  ['hops', 'inferpath_probe_path_hops', 'Hops to the endpoint.', 1],
  ['mtuBytes', 'inferpath_probe_path_mtu_bytes', 'Largest packet that was confirmed to arrive.', 1],
  ['lossShare', 'inferpath_probe_loss_ratio', 'Packets lost.', 1],
] as const;

function ofObservation(one: Observation): MetricFamily[] {
  switch (one.kind) {
    case 'dns':
      return [lookup(one.durationMs)];
    case 'tcp':
      return ipFamilies(one.address);
    case 'tls':
      return [...ipFamilies(one.address), ...tlsFamilies(one.tls, one.at)];
    case 'ping': {
      const rtt = one.rttMs === null ? [] : [{ labels: { phase: 'rtt' }, value: one.rttMs / 1000 }];
      return [
        ...ipFamilies(one.address),
        named('probe_icmp_duration_seconds', 'Duration of icmp request by phase', rtt),
      ];
    }
    case 'inference': {
      const { phases, status, httpVersion, address, tls } = one.request;
      const version = Number(httpVersion ?? Number.NaN);
      return [
        ...ipFamilies(address ?? ''),
        ...(phases.dnsMs === null ? [] : [lookup(phases.dnsMs)]),
        gauge('probe_http_status_code', 'Response HTTP status code', status ?? 0),
        gauge('probe_http_ssl', 'Indicates if SSL was used for the final redirect', tls === null ? 0 : 1),
        ...(Number.isFinite(version)
          ? [gauge('probe_http_version', 'Returns the version of HTTP of the probe response', version)]
          : []),
        named(
          'probe_http_duration_seconds',
          'Duration of http request by phase, summed over all redirects',
          phaseSamples(phases),
        ),
        ...tlsFamilies(tls, one.at),
      ];
    }
    default:
      return [];
  }
}

const lookup = (ms: number) =>
  gauge('probe_dns_lookup_time_seconds', 'Returns the time taken for probe dns lookup in seconds', ms / 1000);

/** With octets, as blackbox_exporter has it: here the response is at hand. What did not happen is 0 there, too. */
function phaseSamples({ dnsMs, tcpMs, tlsMs, ttfbMs, eofMs, totalMs }: Phases) {
  const setUpMs = (dnsMs ?? 0) + (tcpMs ?? 0) + (tlsMs ?? 0);
  const endMs = eofMs ?? totalMs;
  const all = {
    resolve: dnsMs,
    connect: tcpMs,
    tls: tlsMs,
    processing: ttfbMs === null ? null : Math.max(0, ttfbMs - setUpMs),
    transfer: ttfbMs === null || endMs === null ? null : Math.max(0, endMs - ttfbMs),
  };
  return Object.entries(all).map(([phase, ms]) => ({ labels: { phase }, value: (ms ?? 0) / 1000 }));
}

/** Of an address as observations have it, some with a port. */
function ipFamilies(text: string): MetricFamily[] {
  const bare = isIP(text) === 0 ? text.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : text;
  const address = bare.replace(/%.*$/, '');
  const parsed = parseAddress(address);
  if (parsed === null) return [];
  return [
    gauge('probe_ip_protocol', 'Specifies whether probe ip protocol is IP4 or IP6', parsed.family),
    gauge(
      'probe_ip_addr_hash',
      "Specifies the hash of IP address. It's useful to detect if the IP address changes.",
      fnv1a(addressOctets(parsed)),
    ),
  ];
}

/** FNV-1a, 32 bits (draft-eastlake-fnv). */
function fnv1a(bytes: readonly number[]): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
}

function tlsFamilies(tls: TlsSummary | null, at: string): MetricFamily[] {
  if (!tls) return [];
  const version = tls.version.replace('TLSv', 'TLS ');
  const ends = tls.certificate
    ? [
        gauge(
          'probe_ssl_earliest_cert_expiry',
          'Returns earliest SSL cert expiry in unixtime',
          Math.round(Date.parse(at) / 1000 + tls.certificate.daysLeft * 86_400),
        ),
      ]
    : [];
  return [
    ...ends,
    named('probe_tls_version_info', 'Returns the TLS version used, or NaN when unknown', [
      { labels: { version }, value: 1 },
    ]),
  ];
}

const gauge = (name: string, help: string, value: number) => named(name, help, [{ labels: {}, value }]);

function named(name: MetricHead['name'], help: string, samples: { labels: Labels; value: number }[]): MetricFamily {
  return { name, type: 'gauge', help, samples };
}
