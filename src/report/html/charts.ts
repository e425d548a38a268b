import type { AssessReport, EndpointSummary } from '../../model/assess.ts';
import { type InferenceRequest, stallCause } from '../../model/inference.ts';
import { printable } from '../../model/outcome.ts';
import {
  firstTokenSegments,
  firstTokenTimes,
  type Part,
  partAbout,
  parts,
  requestAt,
  roundTrips,
  stallSummary,
  totalSegments,
  worstCadence,
} from '../facts.ts';
import { briefMs, plural } from '../format.ts';
import { mostMarks, splitBands } from '../svg/bands.ts';
import { cadence, causeLetter } from '../svg/cadence.ts';
import { ecdf } from '../svg/ecdf.ts';
import { type Bar, stackedBars } from '../svg/stacked.ts';
import { esc } from './escape.ts';

/** All charts of one endpoint; those without data are left out. */
export function charts(report: AssessReport, e: EndpointSummary, requests: readonly InferenceRequest[]): string {
  const cards = [
    timeToFirstToken(requests),
    wholeRequest(requests),
    distribution('Time to first token', [firstTokenTimes(report, e.name)], e.targets.ttftMs),
    distribution('Network round trip', roundTrips(report, e), e.targets.networkRttMs),
    bounds(requests),
    tokenCadence(requests),
  ];
  return `<div class="charts">${cards.join('')}</div>`;
}

/** A chart drawn twice, for wide and for narrow pages: scaling one picture would make its text unreadable on a phone. */
function card(title: string, about: string, draw: (width: number) => string, full: boolean, keys = ''): string {
  return (
    `<figure class="card chart${full ? ' full' : ''}"><figcaption><h3>${esc(title)}</h3><p>${esc(about)}</p></figcaption>` +
    `<div class="wide">${draw(full ? 900 : 480)}</div><div class="narrow">${draw(318)}</div>${keys}</figure>`
  );
}

function timeToFirstToken(requests: readonly InferenceRequest[]): string {
  const bars = barsOf(requests, firstTokenSegments);
  if (bars.length === 0) return '';
  return card(
    'Where the time to first token went',
    'Two real requests, taken apart.',
    (w) => stackedBars(bars, w),
    false,
    keys(bars),
  );
}

function wholeRequest(requests: readonly InferenceRequest[]): string {
  const bars = barsOf(requests, totalSegments);
  if (bars.length === 0) return '';
  return card(
    'Where the whole request went',
    'The same two requests, up to their last token.',
    (w) => stackedBars(bars, w),
    false,
    keys(bars),
  );
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

/** The legend of stacked bars: every part with its milliseconds in each bar. */
function keys(bars: readonly Bar[]): string {
  const used = parts.filter((p) => bars.some((b) => b.segments.some((s) => s.part === p)));
  const ms = (bar: Bar, p: Part) => briefMs(bar.segments.reduce((sum, s) => (s.part === p ? sum + s.ms : sum), 0));
  return legend(used.map((p) => key(`p-${p}`, `${p} ${bars.map((b) => ms(b, p)).join(' / ')} ms`, partAbout[p])));
}

function key(style: string, words: string, about = ''): string {
  return `<li${about && ` data-tip="${esc(about)}"`}><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="${style}" width="12" height="12" rx="2"/></svg>${esc(words)}</li>`;
}

function legend(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul class="keys">${items.join('')}</ul>`;
}

function distribution(
  title: string,
  series: ReturnType<typeof roundTrips>,
  target: EndpointSummary['targets']['ttftMs'],
): string {
  const filled = series.filter((s) => s.values.length > 0);
  if (filled.length === 0) return '';
  const [only] = filled.length === 1 ? filled : [];
  const about = `Share of ${only ? plural(only.values.length, 'sample') : 'samples'} at or below. The circle is p${target.percentile}: it has to be left of ${target.max} ms.`;
  const line = (i: number) =>
    `<svg viewBox="0 0 24 12" class="long" aria-hidden="true"><path class="line s${i}" d="M0 6H24"/></svg>`;
  const names = only ? [] : filled.map((s, i) => `<li>${line(i)}${esc(s.label)} (n = ${s.values.length})</li>`);
  return card(title, about, (w) => ecdf(filled, target, title, w), false, legend(names));
}

function bounds(requests: readonly InferenceRequest[]): string {
  if (!requests.some((r) => r.split.ttft)) return '';
  const about =
    'Each mark spans the bounds that hold the true time to first token spent there; a tall mark means that the evidence leaves it open.';
  const split = requests.filter((r) => r.split.ttft).length;
  const picked = split > mostMarks ? ` ${mostMarks} of ${split} requests are shown, evenly picked.` : '';
  const names = [
    key('p-network', 'network'),
    ...(requests.some((r) => !r.reused) ? [key('p-tcp', 'network, set-up of a fresh connection included')] : []),
    key('p-server', 'server'),
  ];
  return card('Network and server over the run', about + picked, (w) => splitBands(requests, w), true, legend(names));
}

function tokenCadence(requests: readonly InferenceRequest[]): string {
  const worst = worstCadence(requests);
  if (!worst) return '';
  const about = `Every gap between tokens of the request with the ${worst.stalls.length > 0 ? 'most stalled time' : 'longest gap'} (${printable(worst.id, 60)}). Over all requests ${stallSummary(requests)}.`;
  const seen = stallCause.options.filter((c) => worst.stalls.some((s) => s.cause === c));
  const names = seen.map((c) =>
    key(`p-${c}`, `${causeLetter[c]} stall: ${c === 'undetermined' ? 'network or server, undetermined' : c}`),
  );
  return card('Token cadence of the worst request', about, (w) => cadence(worst, w), true, legend(names));
}
