import type { AssessReport, EndpointSummary } from '../../model/assess.ts';
import { type InferenceRequest, stallCause } from '../../model/inference.ts';
import { printable } from '../../model/outcome.ts';
import {
  firstTokenSegments,
  known,
  type Part,
  partAbout,
  parts,
  requestAt,
  roundTrips,
  stallSummary,
  totalSegments,
  worstCadence,
} from '../facts.ts';
import { splitBands } from '../svg/bands.ts';
import { cadence, causeLetter } from '../svg/cadence.ts';
import { ecdf } from '../svg/ecdf.ts';
import { type Bar, stackedBars } from '../svg/stacked.ts';
import { esc } from './escape.ts';

/** All charts of one endpoint; those without data are left out. */
export function charts(report: AssessReport, e: EndpointSummary, requests: readonly InferenceRequest[]): string {
  const cards = [
    timeToFirstToken(requests),
    wholeRequest(requests),
    distribution(
      'Time to first token',
      [{ label: 'time to first token', values: known(requests.map((r) => r.phases.ttftMs)) }],
      e.targets.ttftMs,
    ),
    distribution('Network round trip', roundTrips(report, e.name), e.targets.networkRttMs),
    bounds(requests),
    tokenCadence(requests),
  ];
  return `<div class="charts">${cards.join('')}</div>`;
}

/** A chart drawn twice, for wide and for narrow pages: scaling one picture would make its text unreadable on a phone. */
function card(title: string, about: string, draw: (width: number) => string, full: boolean, keys = ''): string {
  return (
    `<figure class="card chart${full ? ' full' : ''}" style="margin:0"><figcaption><h3>${esc(title)}</h3><p>${esc(about)}</p></figcaption>` +
    `<div class="wide">${draw(full ? 1000 : 480)}</div><div class="narrow">${draw(318)}</div>${keys}</figure>`
  );
}

function timeToFirstToken(requests: readonly InferenceRequest[]): string {
  const bars = barsOf(requests, firstTokenSegments);
  if (bars.length === 0) return '';
  const used = parts.filter((p) => bars.some((b) => b.segments.some((s) => s.part === p)));
  return card(
    'Where the time to first token went',
    'Two real requests, taken apart.',
    (w) => stackedBars(bars, w),
    true,
    keys(used),
  );
}

function wholeRequest(requests: readonly InferenceRequest[]): string {
  const bars = barsOf(requests, totalSegments);
  if (bars.length === 0) return '';
  const about =
    'The same two requests up to their last token: set-up and travel of every token are network, the rest of the stream is the server.';
  return card('Where the whole request went', about, (w) => stackedBars(bars, w), true);
}

function barsOf(requests: readonly InferenceRequest[], cut: (r: InferenceRequest) => Bar['segments'] | null): Bar[] {
  return [
    { p: 50, label: 'median request (p50)' },
    { p: 99, label: 'slow request (p99)' },
  ].flatMap(({ p, label }) => {
    const request = requestAt(requests, p);
    const segments = request && cut(request);
    return segments ? [{ label, segments }] : [];
  });
}

function keys(used: readonly Part[]): string {
  const item = (p: Part) =>
    `<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="p-${p}" width="12" height="12" rx="2"/></svg>${p}: ${esc(partAbout[p])}</li>`;
  return `<ul class="keys">${used.map(item).join('')}</ul>`;
}

function distribution(
  title: string,
  series: ReturnType<typeof roundTrips>,
  target: EndpointSummary['targets']['ttftMs'],
): string {
  const filled = series.filter((s) => s.values.length > 0);
  if (filled.length === 0) return '';
  const about = `Share of samples at or below; the circle shows p${target.percentile}, which has to be left of ${target.max} ms.`;
  const line = (i: number) =>
    `<svg viewBox="0 0 12 12" aria-hidden="true"><path class="line s${i}" d="M0 6H12"/></svg>`;
  const legend = `<ul class="keys">${filled.map((s, i) => `<li>${line(i)}${esc(s.label)} (n = ${s.values.length})</li>`).join('')}</ul>`;
  return card(title, about, (w) => ecdf(filled, target, title, w), false, legend);
}

function bounds(requests: readonly InferenceRequest[]): string {
  if (!requests.some((r) => r.split.ttft)) return '';
  const about =
    'For each request the bounds that hold the true network and server time to first token; a wide band means that the evidence leaves it open.';
  return card(
    'Network and server over the run',
    about,
    (w) => splitBands(requests, w),
    true,
    keys(['network', 'server']),
  );
}

function tokenCadence(requests: readonly InferenceRequest[]): string {
  const worst = worstCadence(requests);
  if (!worst) return '';
  const about = `Every gap between tokens of the request with the most stalled time (${printable(worst.id, 60)}). Over all requests ${stallSummary(requests)}.`;
  const seen = stallCause.options.filter((c) => worst.stalls.some((s) => s.cause === c));
  const item = (c: (typeof seen)[number]) =>
    `<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="p-${c}" width="12" height="12" rx="2"/></svg>${causeLetter[c]} stall by ${c === 'undetermined' ? 'network or server, undetermined' : c}</li>`;
  return card(
    'Token cadence of the worst request',
    about,
    (w) => cadence(worst, w),
    true,
    seen.length > 0 ? `<ul class="keys">${seen.map(item).join('')}</ul>` : '',
  );
}
