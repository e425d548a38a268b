import type { InferenceRequest } from '../../model/inference.ts';
import { describeOutcome } from '../../model/outcome.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { count } from '../say.ts';

export const badProtocol = perEndpoint(
  { id: 'bad-protocol', about: 'Does the peer speak HTTP and its API at all?', pillar: 'reliability' },
  ({ view, name }): Draft | null => {
    const requests = requestsOf(view, name);
    if (requests.length === 0) return null;
    const bad = requests.filter(isGarbage);
    const spoke = requests.filter((r) => r.outcome.kind === 'answered').length;
    const evidence = [
      {
        metric: 'answers against the protocol',
        value: bad.length / requests.length,
        unit: 'share',
        n: requests.length,
        how: 'parsers',
      },
    ];
    if (bad.length === 0)
      return spoke === 0
        ? null
        : { verdict: 'pass', claim: `0 of ${count(requests.length, 'answer')} broke the protocol`, evidence };
    return {
      verdict: 'fail',
      severity: spoke === 0 ? 'critical' : 'warning',
      claim: `${bad.length} of ${count(requests.length, 'answer')} broke the protocol: not what an inference API sends`,
      details: examples(bad),
      evidence,
      confidence: 'high',
      remedy: {
        text: 'check URL, port and dialect first; then what stands between: a captive portal, a proxy that answers for the server, or a hostile peer. Everything it sent was dropped unread beyond our limits',
      },
    };
  },
);

/** Parser errors of HTTP and TLS by Node's and our own names, and streams that never gave a single token. */
const protocolError = /^(HPE_|EPROTO|EBADMSG|EMSGSIZE|ERR_(HTTP|SSL|TLS|STREAM)|PROTOCOL|HTTP)/i;

/** A connection that somebody cut says nothing about the language spoken on it. */
const cutConnection = /^(ECONNRESET|EPIPE|ECONNABORTED|ETIMEDOUT)/;

/** True when what came back cannot be an answer of an inference API. */
export function isGarbage({ outcome, tokens }: InferenceRequest): boolean {
  if (outcome.kind === 'brokenStream') return tokens.events === 0 && !cutConnection.test(outcome.message);
  // TLS failures of the certificate belong to the finding certificate.
  return (
    outcome.kind === 'failed' &&
    outcome.phase !== 'dns' &&
    protocolError.test(outcome.errno) &&
    !/CERT/i.test(outcome.errno)
  );
}

function examples(bad: readonly InferenceRequest[]): string[] {
  return [...new Set(bad.map((r) => describeOutcome(r.outcome)))].slice(0, 3);
}
