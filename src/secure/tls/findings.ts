import type { Evidence, Finding } from '../../model/finding.ts';
import type { TlsEndpointReport, TlsGate } from '../../model/secure/tls.ts';
import { probe } from './probes.ts';
import { preferRemedy, switchOnRemedy, switchOnText } from './switch-on.ts';

type Endpoint = TlsEndpointReport;

/** What is to be said of one endpoint: key exchange, what post-quantum clients meet on the way, the profile, and exposure. */
export function findingsOf(endpoint: Endpoint): Finding[] {
  return [keyExchange(endpoint), onTheWay(endpoint), ...profile(endpoint), ...harvest(endpoint)];
}

function keyExchange({ name, survey, verdict }: Endpoint): Finding {
  const base = {
    id: 'pq-key-exchange',
    severity: 'warning',
    pillar: 'security',
    subject: name,
    details: [],
    evidence: handshakeEvidence(survey),
    confidence: 'high',
  } as const;
  const group = verdict.group ?? 'no group';
  switch (verdict.kind) {
    case 'pq-default':
    case 'pq-by-retry':
      return {
        ...base,
        verdict: 'pass',
        severity: 'info',
        claim: `The key exchange is post-quantum: ${verdict.reason}`,
        coverage: 1,
        details: [...base.details],
        evidence: [...base.evidence],
      };
    case 'pq-possible-not-chosen':
    case 'classical':
      return {
        ...base,
        verdict: 'fail',
        claim: `The key exchange is classical (${group}): ${verdict.reason}`,
        details: ['Whoever records the traffic can read it once there is a quantum computer.', ...switchOnText],
        evidence: [...base.evidence],
        coverage: 1,
        remedy: { text: verdict.kind === 'classical' ? switchOnRemedy : preferRemedy },
      };
    case 'unknown':
      return {
        ...base,
        verdict: 'unknown',
        claim: `Whether the key exchange is post-quantum is not known: ${verdict.reason}`,
        coverage: 0,
        details: [...base.details],
        evidence: [...base.evidence],
      };
  }
}

function handshakeEvidence(survey: TlsEndpointReport['survey']): Evidence[] {
  const row = probe(survey, 'browser') ?? probe(survey, 'control');
  if (!row || row.durationMs === null) return [];
  return [{ metric: 'tls handshake', value: row.durationMs, unit: 'ms', n: 1, how: 'own TLS client, user clock' }];
}

function onTheWay({ name, path: { checks, diagnosis } }: Endpoint): Finding {
  const asked = checks.filter(({ result }) => result !== 'not-asked');
  const failing = checks.filter(({ result }) => result === 'fails');
  const isUnknown = diagnosis.kind === 'unknown';
  const known = asked.filter(({ result }) => result !== 'unknown');
  const verdict = isUnknown ? 'unknown' : failing.length > 0 ? 'fail' : 'pass';
  return {
    id: 'pq-client-hello',
    verdict,
    severity: verdict === 'pass' ? 'info' : 'warning',
    pillar: 'security',
    subject: name,
    claim: `${diagnosis.text} (${failing.length} of ${asked.length} forms of ClientHello fail)`,
    details: [
      ...failing.map(({ about, how }) => `${about}: ${how}`),
      ...(verdict === 'fail' ? [`Who: ${diagnosis.place}.`] : []),
    ],
    evidence: [
      {
        metric: 'forms of ClientHello that fail',
        value: failing.length,
        unit: 'forms',
        n: asked.length,
        how: 'own TLS client',
      },
    ],
    confidence: diagnosis.kind === 'mixed' ? 'low' : 'medium',
    coverage: isUnknown ? (asked.length === 0 ? 0 : known.length / checks.length) : 1,
    ...(verdict === 'fail'
      ? {
          remedy: {
            text: 'Update or bypass what reads the ClientHello on the way (load balancer, firewall, DPI, old server): it has to put a ClientHello together from several TCP segments and to ignore groups that it does not know.',
          },
        }
      : {}),
  };
}

/** Gates that are not kept, in one finding; the key exchange and the way have their own. */
function profile({ name, gates }: Endpoint): Finding[] {
  const others = gates.filter(({ id }) => id !== 'pq-key-exchange' && id !== 'path');
  if (others.length === 0) return [];
  const failing = others.filter(({ status }) => status === 'fail');
  const open = others.filter(({ status }) => status === 'unknown');
  const verdict = failing.length > 0 ? 'fail' : open.length > 0 ? 'unknown' : 'pass';
  const say = ({ text, evidence, requiredFrom }: TlsGate) =>
    `${text}: ${evidence}${requiredFrom === null ? '' : ` (from ${requiredFrom} on)`}`;
  return [
    {
      id: 'tls-profile',
      verdict,
      severity: verdict === 'pass' ? 'info' : 'warning',
      pillar: 'security',
      subject: name,
      claim:
        verdict === 'fail'
          ? `${failing.length} of ${others.length} other requirements of the profile are not kept`
          : verdict === 'unknown'
            ? `${open.length} of ${others.length} other requirements of the profile could not be looked at`
            : `All ${others.length} other requirements of the profile are kept, or are not due yet`,
      details: [...failing, ...open, ...others.filter(({ status }) => status === 'not-yet')].map(say),
      evidence: [],
      confidence: 'high',
      coverage: verdict === 'unknown' ? (others.length - open.length) / others.length : 1,
      ...(verdict === 'fail' ? { remedy: { text: failing.map(({ text }) => `${text}.`).join(' ') } } : {}),
    },
  ];
}

function harvest({ name, exposure }: Endpoint): Finding[] {
  return exposure.map((one): Finding => {
    const range = one.exposedYears;
    const verdict =
      one.status === 'exposed' ? 'fail' : one.status === 'safe' || one.status === 'protected' ? 'pass' : 'unknown';
    return {
      id: 'harvest-now',
      verdict,
      severity: verdict === 'fail' ? 'critical' : verdict === 'unknown' ? 'warning' : 'info',
      pillar: 'security',
      subject: name,
      claim:
        range === null
          ? `How long recordings of "${one.dataClass}" stay readable is not known, because the key exchange is not`
          : `Recordings of "${one.dataClass}" are readable for ${range[0]} to ${range[1]} years while they should be secret`,
      details: [`Mosca: ${one.formula}.`],
      evidence: [],
      confidence: 'medium',
      coverage: range === null ? 0 : verdict === 'unknown' ? 0.5 : 1,
      ...(verdict === 'fail'
        ? {
            remedy: {
              text: 'Switch post-quantum key exchange on before the data is sent; what was recorded cannot be helped any more.',
            },
          }
        : {}),
    };
  });
}
