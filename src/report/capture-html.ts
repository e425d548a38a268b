import type { JudgedExchange, StallCause } from '../model/capture/judged.ts';
import type { FlowWithExchanges } from '../model/capture/report.ts';
import type { SequenceTrail } from '../model/capture/sequence.ts';
import { printable } from '../model/outcome.ts';
import { sequenceChart, sequenceKey, sequenceStyle, sequenceTitle } from './capture-sequence.ts';
import {
  captureFacts,
  type CaptureView,
  causeWords,
  qualitySentences,
  inFile,
  quicSentence,
  streamSentences,
  sumSentences,
  troubleSentence,
} from './capture-words.ts';
import { num, plural } from './format.ts';
import { esc } from './html/escape.ts';
import { htmlPage } from './html/page.ts';
import { svg, text, tip, xAxis } from './svg/frame.ts';
import { linear, px, ticks } from './svg/scale.ts';

/** Colours of who took the time: blues are network, orange the server, purple the client, grey nobody can tell. */
const fills: Record<StallCause, string> = {
  server: '--server',
  buffering: '--server',
  loss: '--network',
  reordering: '--network',
  delay: '--upload',
  nagle: '--tcp',
  'receiver-window': '--client',
  'capture-loss': '--undetermined',
  unknown: '--undetermined',
};

const laneStyle = `
h1{overflow-wrap:anywhere}h4{margin:18px 0 0}.card ul{margin:.5em 0;padding-left:22px}
.lane{font-size:12px;fill:var(--muted)}.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.86rem;color:var(--muted);margin:6px 0}
.key i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:5px;vertical-align:-1px}`;

/** Lanes of one conversation: those of its exchanges that stood still longest. */
const mostLanes = 12;
const width = 1000;
const laneHeight = 26;

/** The capture as one self-contained page: its sums, and of the worst streams when each waited, for whom, and why. */
export function renderCaptureHtml(view: CaptureView, version: string, trails: readonly SequenceTrail[] = []): string {
  const names = view.sources.map(({ name }) => printable(name, 120)).join(', ');
  const body = [
    `<div class="top"><div class="brand">inferpath capture</div><h1>${esc(names)}</h1><p class="facts">${esc(captureFacts(view))}</p>${list(qualitySentences(view))}</div>`,
    '<main>',
    `<section><h2>In all</h2><div class="card">${list(sumSentences(view))}</div></section>`,
    ...streams(view, trails),
    ...others(view),
    ...quicFlows(view),
    ...traffic(view),
    '</main>',
    `<footer>inferpath ${esc(printable(version, 40))}</footer>`,
  ];
  return htmlPage({ title: `inferpath capture: ${names}`, moreStyle: laneStyle + sequenceStyle, body });
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<ul>${lines.map((line) => `<li>${esc(line)}</li>`).join('')}</ul>`;
}

function streams(view: CaptureView, trails: readonly SequenceTrail[]): string[] {
  const { worst } = view;
  if (worst.streams.length === 0) return [];
  const key = [
    ['--network', 'network'],
    ['--server', 'server'],
    ['--client', 'client'],
    ['--undetermined', 'cannot be told'],
    ['--calm', 'chunks come'],
  ].map(([fill, word]) => `<span><i style="background:var(${fill})"></i>${word}</span>`);
  return [
    `<section><h2>Streams, worst first</h2><p class="key">${key.join('')}</p>`,
    ...worst.streams.map((flow) =>
      streamCard(
        flow,
        inFile(view, flow),
        trails.find((trail) => trail.flow === flow.number),
      ),
    ),
    trails.length > 0
      ? ''
      : '<p class="facts">Sequence numbers against time are drawn of files, which can be read twice.</p>',
    '</section>',
  ];
}

function streamCard(flow: FlowWithExchanges, file: string, trail: SequenceTrail | undefined): string {
  const { title, about, lines } = streamSentences(flow);
  return `<div class="card" style="margin-bottom:14px"><h3>${esc(title + file)}</h3><p class="facts">${esc(about)}</p>${list(lines)}<div class="scroll">${timeline(flow)}</div>${trail ? sequence(trail) : ''}</div>`;
}

function sequence(trail: SequenceTrail): string {
  const chart = sequenceChart(trail, fills);
  if (chart === '') return '';
  return `<h4>Sequence numbers against time</h4><p class="facts">${sequenceTitle(trail)}</p><p class="key">${sequenceKey.join('')}</p><div class="scroll">${chart}</div>`;
}

/** One lane an exchange, each from its request on: the wait for the first chunk, the stream, the stalls in it. */
function timeline({ exchanges }: FlowWithExchanges): string {
  const stalledMs = ({ stalls }: JudgedExchange) => stalls.reduce((sum, { gapMs }) => sum + gapMs, 0);
  const lanes = exchanges
    .filter(({ shape }) => shape === 'stream')
    .toSorted((a, b) => stalledMs(b) - stalledMs(a))
    .slice(0, mostLanes);
  const longestMs = Math.max(1, ...lanes.map((one) => one.endMs - startOf(one)));
  const height = lanes.length * laneHeight + 34;
  const box = { width, height, left: 70, right: 14, top: 4, bottom: 28 };
  const x = linear([0, longestMs], [box.left, width - box.right]);
  const marks = ticks(longestMs, 8).filter((at) => at <= longestMs);
  const body = lanes.map((one, i) => lane(one, box.top + i * laneHeight, x)).join('');
  return svg(width, height, 'When each answer waited, and for whom', body + xAxis(box, x, marks, 'ms'));
}

function lane(exchange: JudgedExchange, y: number, x: (ms: number) => number): string {
  const zero = startOf(exchange);
  const bar = (fromMs: number, toMs: number, fill: string, words: string) =>
    `<rect x="${px(x(fromMs - zero))}" y="${px(y + 4)}" width="${px(Math.max(1, x(toMs - zero) - x(fromMs - zero)))}" height="${laneHeight - 10}" rx="2" style="fill:var(${fill})" ${tip(words)}/>`;
  const { firstChunk, firstChunkMs, endMs, stalls } = exchange;
  const began = firstChunkMs ?? zero;
  const parts = [
    text(0, y + 16, `${num(zero / 1000)} s`, 'class="lane"'),
    bar(began, endMs, '--calm', `${plural(exchange.chunks, 'chunk')} in ${num(endMs - began)} ms`),
  ];
  if (firstChunk) {
    const networkMs = Math.min(firstChunk.networkMs ?? 0, began - zero);
    parts.push(
      bar(zero, zero + networkMs, '--network', firstChunk.evidence),
      bar(zero + networkMs, began, firstChunk.serverMs === null ? '--undetermined' : '--server', firstChunk.evidence),
    );
  }
  for (const stall of stalls)
    parts.push(bar(stall.startMs, stall.endMs, fills[stall.cause], `${causeWords[stall.cause]}: ${stall.evidence}`));
  return parts.join('');
}

function startOf({ requestEndMs, firstByteMs, endMs }: JudgedExchange): number {
  return requestEndMs ?? firstByteMs ?? endMs;
}

function others(view: CaptureView): string[] {
  const { worst } = view;
  if (worst.others.length === 0) return [];
  return [
    '<section><h2>Other conversations with trouble, worst first</h2>',
    `<div class="card">${list(worst.others.map((flow) => troubleSentence(flow) + inFile(view, flow)))}</div></section>`,
  ];
}

function quicFlows(view: CaptureView): string[] {
  const { worst } = view;
  if (worst.quic.length === 0) return [];
  return [
    '<section><h2>QUIC, of which loss cannot be seen</h2>',
    `<div class="card">${list(worst.quic.map((flow) => quicSentence(flow) + inFile(view, flow)))}</div></section>`,
  ];
}

function traffic({ patterns }: CaptureView): string[] {
  if (!patterns || patterns.matrix.cells.length === 0) return [];
  const rows = patterns.matrix.cells.map(
    ({ class: kind, direction, from, to, flows, forthBytes, backBytes }) =>
      `<tr>${[kind, direction, printable(from, 80), printable(to, 80), String(flows), `${num(forthBytes / 1e6)} MB`, `${num(backBytes / 1e6)} MB`].map((cell) => `<td>${esc(cell)}</td>`).join('')}</tr>`,
  );
  const heads = ['class', 'direction', 'from', 'to', 'conversations', 'there', 'back'];
  return [
    '<section><h2>Traffic by what it looks like</h2><div class="card scroll"><table>',
    `<thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`,
  ];
}
