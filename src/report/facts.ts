import type { AssessReport, EndpointSummary } from '../model/assess.ts';
import type { Finding, Pillar, Verdict } from '../model/finding.ts';
import { type InferenceRequest, type Split, stallCause } from '../model/inference.ts';
import { findingsAbout } from '../judge/matrix.ts';
import { viewOf } from '../judge/rule.ts';
import { requestsOf as judgedRequests, roundTripsOf, ttftsOf } from '../judge/samples.ts';
import { samplesNeeded } from '../stats/quantile.ts';
import { plural } from './format.ts';

/** Who can be blamed for a millisecond, in the order in which bars show them. */
export const parts = ['dns', 'tcp', 'tls', 'upload', 'network', 'undetermined', 'server', 'client'] as const;
export type Part = (typeof parts)[number];
export interface Segment {
  part: Part;
  ms: number;
}

export const partAbout: Record<Part, string> = {
  dns: 'name lookup',
  tcp: 'TCP (and proxy) connection set-up',
  tls: 'TLS set-up',
  upload: 'sending the prompt, beyond one round trip',
  network: 'travel of the request and of the first token',
  undetermined: 'network or server: the evidence does not decide',
  server: 'request read to first token written, at the server',
  client: 'this client itself',
};

/** The inference requests sent to one endpoint, in the order of the observations. */
export function requestsOf(report: AssessReport, endpoint: string): InferenceRequest[] {
  return viewOf(report.observations)
    .of('inference', endpoint)
    .map(({ request }) => request);
}

/**
 * Time to first token cut into parts that add up to it exactly. Set-up phases come out of the lower bound of the network
 * time; of the upload only what exceeds one round trip counts as upload, since a one-packet prompt needs that trip anyway.
 * @returns null when no first token arrived
 */
export function firstTokenSegments(request: InferenceRequest): Segment[] | null {
  const { phases: p, tcp } = request;
  if (p.ttftMs === null) return null;
  const split = request.split.ttft;
  if (!split)
    return cut(p.ttftMs, [
      ['dns', p.dnsMs],
      ['tcp', (p.tcpMs ?? 0) + (p.proxyMs ?? 0)],
      ['tls', p.tlsMs],
      ['undetermined', Number.POSITIVE_INFINITY],
    ]);
  const roundTripMs = tcp.requestRttMs ?? tcp.handshakeRttMs ?? tcp.minRttMs ?? 0;
  const network = cut(split.networkMs[0], [
    ['dns', p.dnsMs],
    ['tcp', (p.tcpMs ?? 0) + (p.proxyMs ?? 0)],
    ['tls', p.tlsMs],
    ['upload', (p.uploadMs ?? 0) - roundTripMs],
    ['network', Number.POSITIVE_INFINITY],
  ]);
  return [...network, ...blamed(split)];
}

/** The whole request, first packet to last token, as network, undetermined, server and client. */
export function totalSegments(request: InferenceRequest): Segment[] | null {
  const split = request.split.total;
  if (!split) return null;
  return [...cut(split.networkMs[0], [['network', Number.POSITIVE_INFINITY]]), ...blamed(split)];
}

function blamed(split: Split): Segment[] {
  const rest: Segment[] = [
    { part: 'undetermined', ms: split.undeterminedMs },
    { part: 'server', ms: split.serverMs[0] },
    { part: 'client', ms: split.clientMs },
  ];
  return rest.filter((s) => s.ms > 0);
}

/** Takes the wanted amounts out of `totalMs` one after the other, never more than is left. */
function cut(totalMs: number, wanted: readonly (readonly [Part, number | null])[]): Segment[] {
  let leftMs = totalMs;
  const segments: Segment[] = [];
  for (const [part, want] of wanted) {
    const ms = Math.min(leftMs, Math.max(0, want ?? 0));
    leftMs -= ms;
    if (ms > 0) segments.push({ part, ms });
  }
  return segments;
}

/** The real request nearest to this percentile of time to first token, so that its parts belong together. */
export function requestAt(requests: readonly InferenceRequest[], percentile: number): InferenceRequest | undefined {
  const sorted = requests
    .filter((r) => r.phases.ttftMs !== null)
    .toSorted((a, b) => (a.phases.ttftMs ?? 0) - (b.phases.ttftMs ?? 0));
  return sorted[Math.round((percentile / 100) * (sorted.length - 1))];
}

/** The request with the most stalled time, else the one with the longest gap; undefined when none streamed. */
export function worstCadence(requests: readonly InferenceRequest[]): InferenceRequest | undefined {
  let worst: InferenceRequest | undefined;
  let worstMs = -1;
  for (const r of requests) {
    if (r.gaps.length === 0) continue;
    const stalledMs = r.stalls.reduce((sum, s) => sum + s.durationMs, 0);
    // Any stall outweighs any gap that is none: a longest gap counts a thousandth.
    const badMs = stalledMs > 0 ? stalledMs : longest(r.gaps) / 1000;
    if (badMs > worstMs) [worst, worstMs] = [r, badMs];
  }
  return worst;
}

/** Math.max over a list of any length (spreading a long one would overflow the stack). */
export function longest(values: readonly number[]): number {
  return values.reduce((max, v) => Math.max(max, v), 0);
}

/** How many gaps were stalls, by cause, in words: `66 of 3290 gaps stalled: network 62, undetermined 4`; empty without gaps. */
export function stallSummary(requests: readonly InferenceRequest[]): string {
  const gaps = requests.reduce((n, r) => n + r.gaps.length, 0);
  if (gaps === 0) return '';
  const causes = requests.flatMap((r) => r.stalls.map((s) => s.cause));
  if (causes.length === 0) return `none of ${gaps} token gaps stalled`;
  const by = stallCause.options
    .map((c) => ({ c, n: causes.filter((x) => x === c).length }))
    .filter(({ n }) => n > 0)
    .map(({ c, n }) => `${c} ${n}`);
  return `${causes.length} of ${gaps} token gaps stalled: ${by.join(', ')}`;
}

export interface Series {
  label: string;
  values: number[];
}

/** Times to first token as the rules see them: a request given up before its first token counts with the time waited. */
export function firstTokenTimes(report: AssessReport, endpoint: string): Series {
  return { label: 'time to first token', values: [...ttftsOf(judgedRequests(viewOf(report.observations), endpoint))] };
}

/** Round trips to an endpoint: first those that the verdict rests on, then those of the other method, where there are any. */
export function roundTrips(report: AssessReport, e: EndpointSummary): Series[] {
  const view = viewOf(report.observations);
  const judged = roundTripsOf(view, e.name, samplesNeeded(e.targets.networkRttMs.percentile / 100));
  const icmp = view.of('ping', e.name).flatMap((p) => (p.method === 'icmp' && p.rttMs !== null ? [p.rttMs] : []));
  const tcp = roundTripsOf(view, e.name, 0);
  const other =
    judged.method === 'tcp' ? { label: 'ICMP echo', values: icmp } : { label: tcp.how, values: [...tcp.rising] };
  return [{ label: judged.how, values: [...judged.rising] }, other].filter((s) => s.values.length > 0);
}

/** Whether a finding is worth knowing without anything having failed. */
export function isNote(f: Finding): boolean {
  return f.verdict === 'fail' && f.severity === 'info';
}

function rank(f: Finding): number {
  if (isNote(f)) return 2;
  return { fail: 0, unknown: 1, pass: 3 }[f.verdict];
}
const weight = { critical: 0, warning: 1, info: 2 };

/** Failures first, then what is unknown, then notes, then passes; within each by severity, then in the order of the endpoints. */
export function sortFindings(report: AssessReport, findings: readonly Finding[] = report.findings): Finding[] {
  const place = new Map(report.endpoints.map((e, i) => [e.name, i]));
  const last = report.endpoints.length;
  return findings.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      weight[a.severity] - weight[b.severity] ||
      (place.get(a.subject) ?? last) - (place.get(b.subject) ?? last),
  );
}

/** Findings about no endpoint of the report: about the client or the run. */
export function otherFindings(report: AssessReport): Finding[] {
  const names = new Set(report.endpoints.map((e) => e.name));
  return sortFindings(
    report,
    report.findings.filter((f) => !names.has(f.subject)),
  );
}

export function findingsOf(report: AssessReport, endpoint: EndpointSummary, pillar?: Pillar): Finding[] {
  // All about one endpoint, so that its place among the others does not matter.
  return findingsAbout(report.findings, endpoint.name)
    .filter((f) => !pillar || f.pillar === pillar)
    .toSorted((a, b) => rank(a) - rank(b) || weight[a.severity] - weight[b.severity]);
}

/** The verdict over everything, in words. */
export function headline(report: AssessReport): { word: string; why: string } {
  const worst = (verdict: string) =>
    report.endpoints.filter((e) => Object.values(e.cells).some((c) => c.verdict === verdict)).length;
  const all = report.endpoints.length;
  const of = (n: number) =>
    n === all ? (all === 1 ? 'the endpoint' : `all ${all} endpoints`) : `${n} of ${all} endpoints`;
  const names = new Set([...report.endpoints.map((e) => e.name), 'client']);
  const beside = report.findings.filter((f) => !names.has(f.subject));
  const about = (verdict: Verdict, [one, many]: [string, string]) =>
    (['plan', 'security'] as const).flatMap((what) => {
      const isSecurity = what === 'security';
      const n = beside.filter((f) => f.verdict === verdict && (f.pillar === 'security') === isSecurity).length;
      return n === 0 ? [] : [`${plural(n, 'finding')} about the ${what} of the network ${n === 1 ? one : many}`];
    });
  const inPlan = about('fail', ['fails', 'fail']).join('; ');
  if (report.ready === 'fail' && worst('fail') === 0 && inPlan !== '') return { word: 'NOT READY', why: inPlan };
  if (report.ready === 'fail')
    return {
      word: 'NOT READY',
      why: `${of(worst('fail'))} miss${worst('fail') === 1 ? 'es' : ''} a target${inPlan && `; ${inPlan}`}`,
    };
  const open = about('unknown', ['is open', 'are open']).join('; ');
  if (report.ready === 'unknown' && worst('unknown') === 0 && open !== '')
    return { word: 'UNKNOWN', why: `nothing fails, but ${open}` };
  if (report.ready === 'unknown')
    return { word: 'UNKNOWN', why: `nothing fails, but the evidence does not suffice for ${of(worst('unknown'))}` };
  return { word: 'READY', why: `${of(all)} meet${all === 1 ? 's' : ''} every target` };
}

const blameWord = {
  network: 'the network',
  server: 'the server',
  client: 'this client',
  undetermined: 'undetermined (network or server)',
  none: 'nobody',
};
export function blamedParty(e: EndpointSummary): string {
  return blameWord[e.blame];
}

/** Limits of an endpoint in words, for tables. */
export function limits(e: EndpointSummary): { label: string; text: string }[] {
  const { targets: t } = e;
  const row = (label: string, x: { max: number; percentile: number }) => ({
    label,
    text: `p${x.percentile} ≤ ${x.max} ms`,
  });
  return [
    row('network round trip', t.networkRttMs),
    row('delay variation', t.networkPdvMs),
    { label: 'packet loss', text: `≤ ${Number((t.networkLoss.max * 100).toFixed(3))} %` },
    row('time to first token', t.ttftMs),
    row('token gap', t.tokenGapMs),
    { label: 'stalled token gaps', text: `≤ ${Number((t.stallRate.max * 100).toFixed(3))} %` },
  ];
}
