import { greatCircleKm, lightRoundTripMs } from '../../stats/globe.ts';
import type { InferenceRequest } from '../../model/inference.ts';
import type { Site } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import { median, sorted } from '../../stats/quantile.ts';
import { type Draft, perEndpoint, type Subject } from '../per-endpoint.ts';
import { answeredOf, lowestRttMs } from '../samples.ts';
import { ms } from '../say.ts';

/** Below this, what lies behind the terminator is switching and scheduling inside one site, not distance. */
const noticeableMs = 5;
/** A fibre path is rarely longer than twice the straight line (RIPE Atlas and the "speed of light" studies find 1.5 to 2.5). */
const usualDetour = 3;

export const farTerminator = perEndpoint(
  {
    id: 'far-terminator',
    about: 'Does TCP end at the endpoint itself, and is the way to it straight?',
    pillar: 'speed',
  },
  (subject): Draft | null => {
    const rttMs = lowestRttMs(subject.view, subject.name);
    if (rttMs === null) return null;
    const answered = answeredOf(subject.view, subject.name);
    return againstSites(subject, rttMs) ?? behind(answered, rttMs) ?? hinted(answered, rttMs);
  },
);

/** The server's own time says how much of the wait is left over: what exceeds the round trip is a leg behind the terminator. */
function behind(answered: readonly InferenceRequest[], rttMs: number): Draft | null {
  const legs = sorted(answered.map(legMs));
  if (legs.length < 5) return null;
  const legFloorMs = Math.max(0, (legs[0] ?? 0) - rttMs);
  const evidence = [
    {
      metric: 'network time outside the server, lowest',
      value: legs[0] ?? 0,
      unit: 'ms',
      n: legs.length,
      how: 'wait less server-reported time',
    },
    { metric: 'network RTT lowest', value: rttMs, unit: 'ms', n: legs.length, how: 'round trips' },
  ];
  if (legFloorMs < Math.max(noticeableMs, rttMs))
    return {
      verdict: 'pass',
      claim: `the server stands where TCP ends: at most ${ms(legFloorMs)} of each wait are neither its own time nor the round trip of ${ms(rttMs)}`,
      evidence,
    };
  return {
    verdict: 'fail',
    claim: `TCP ends ${ms(rttMs)} away, but every answer takes at least ${ms(legFloorMs)} more that the server does not count as its own: the model stands behind a far terminator`,
    details: [...terminators(answered), `in the median request it is ${ms(median(legs) - rttMs)}`],
    evidence,
    remedy: {
      text: 'let clients reach the site of the model directly, or have the terminator keep warm connections to it; a nearer terminator alone does not bring the model nearer',
      gainMs: legFloorMs,
    },
  };
}

/** Wait for the first byte less what the server itself says it took; only the server can speak for the leg in front of it. */
function legMs(r: InferenceRequest): number {
  const own = r.server.reported.find((s) => s.by === 'server' && (s.covers === 'headers' || s.covers === 'ttft'));
  if (!own || r.phases.waitMs === null) return NaN;
  const untilMs =
    own.covers === 'ttft' && r.phases.ttftMs !== null && r.phases.ttfbMs !== null
      ? r.phases.ttftMs - r.phases.ttfbMs
      : 0;
  return r.phases.waitMs + untilMs - own.valueMs - own.resolutionMs;
}

function hinted(answered: readonly InferenceRequest[], rttMs: number): Draft | null {
  const hints = terminators(
    answered.filter((r) => r.server.terminator.some((hint) => /^(via|cf-ray|x-cache|x-amz-cf)/i.test(hint))),
  );
  const proxied = answered.filter((r) => r.phases.proxyMs !== null).length;
  if (proxied > 0)
    hints.push(`${proxied} requests opened their connection through a proxy that this client was told to use`);
  if (hints.length === 0) return null;
  return {
    verdict: 'unknown',
    claim: `the round trip of ${ms(rttMs)} ends at a proxy; how far the model stands behind it is unknown, and that leg counts as server time`,
    details: hints,
    coverage: 0.5,
    remedy: {
      text: 'let the server report its own time (body timings or a Server-Timing header), then the leg behind the proxy can be told',
    },
  };
}

function terminators(answered: readonly InferenceRequest[]): string[] {
  const hints = new Set(answered.flatMap((r) => r.server.terminator.map((hint) => printable(hint, 80))));
  return [...hints]
    .sort()
    .slice(0, 3)
    .map((hint) => `the answer names who terminates: ${hint}`);
}

function againstSites({ network, endpoint }: Subject, rttMs: number): Draft | null {
  const here = located(network.sites, network.vantage?.site);
  const there = located(network.sites, endpoint.site);
  if (!here || !there) return null;
  const km = Math.round(greatCircleKm(here, there));
  const floorMs = lightRoundTripMs(km);
  const evidence = [{ metric: 'network RTT lowest', value: rttMs, unit: 'ms', n: 1, how: 'round trips' }];
  if (rttMs < floorMs * 0.99)
    return {
      verdict: 'fail',
      claim: `a round trip of ${ms(rttMs)} is shorter than light in fibre allows for ${km} km (${ms(floorMs)}): TCP ends before the site of the endpoint`,
      evidence,
      confidence: 'high',
      remedy: {
        text: `correct the site of the endpoint in the network file, or count the leg from the terminator to the site: at least ${ms(floorMs - rttMs)} more`,
      },
    };
  if (rttMs > floorMs * usualDetour && rttMs - floorMs > 4 * noticeableMs)
    return {
      verdict: 'fail',
      claim: `the round trip of ${ms(rttMs)} is ${(rttMs / floorMs).toFixed(1)} times what light in fibre needs for ${km} km (${ms(floorMs)})`,
      evidence,
      remedy: {
        text: 'ask the carrier for the route (the trace shows the step): a nearer exchange point or another transit shortens it',
        gainMs: rttMs - floorMs * 2,
      },
    };
  return null;
}

function located(sites: readonly Site[], name: string | undefined): { lat: number; lon: number } | null {
  return sites.find((s) => s.name === name)?.location ?? null;
}
