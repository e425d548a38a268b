import type { InferenceRequest, Phases } from '../model/inference.ts';
import { clip, pad, padLeft, type Palette } from './ansi.ts';
import type { Part } from './facts.ts';
import { briefMs } from './format.ts';

/** A phase of a request on the time axis that begins with the request. */
export interface Span {
  name: string;
  part: Part;
  fromMs: number;
  toMs: number;
}

/**
 * The phases of a request one below the other in time. Phases that did not happen are left out. The upload runs beside the
 * wait for the answer, because it ends when its last byte is acknowledged.
 */
export function spansOf(p: Phases): Span[] {
  const spans: Span[] = [];
  let atMs = 0;
  const next = (name: string, part: Part, ms: number | null) => {
    if (ms === null) return;
    spans.push({ name, part, fromMs: atMs, toMs: atMs + ms });
    atMs += ms;
  };
  next('dns', 'dns', p.dnsMs);
  next('tcp', 'tcp', p.tcpMs);
  next('proxy', 'tcp', p.proxyMs);
  next('tls', 'tls', p.tlsMs);
  if (p.uploadMs !== null) spans.push({ name: 'upload', part: 'upload', fromMs: atMs, toMs: atMs + p.uploadMs });
  if (p.ttfbMs !== null) {
    const fromMs = p.waitMs === null ? atMs : Math.max(atMs, p.ttfbMs - p.waitMs);
    spans.push({ name: 'wait', part: 'undetermined', fromMs, toMs: Math.max(fromMs, p.ttfbMs) });
    if (p.ttftMs !== null && p.ttftMs > p.ttfbMs)
      spans.push({ name: 'first token', part: 'undetermined', fromMs: p.ttfbMs, toMs: p.ttftMs });
  }
  if (p.ttftMs !== null && p.totalMs !== null)
    spans.push({ name: 'stream', part: 'server', fromMs: p.ttftMs, toMs: p.totalMs });
  return spans;
}

const nameWidth = 11;
const msWidth = 9;

/** The waterfall of one request: a line per phase, its bar on a common time axis, its length in ms. */
export function waterfall(request: InferenceRequest, columns: number, paint: Palette): string[] {
  const spans = spansOf(request.phases);
  const endMs = Math.max(0, ...spans.map((s) => s.toMs));
  const width = columns - nameWidth - msWidth - 2;
  if (endMs <= 0 || width < 8) return [];
  const rows = spans.map((s) => {
    const { before, bar } = place(s, endMs, width);
    const gap = ' '.repeat(before);
    const rest = ' '.repeat(Math.max(0, width - before - bar.length));
    return `${pad(clip(s.name, nameWidth), nameWidth)} ${gap}${paint.part[s.part](bar)}${rest} ${padLeft(`${briefMs(s.toMs - s.fromMs)} ms`, msWidth)}`;
  });
  return [...rows, axis(endMs, width, paint)];
}

/** A bar in cells, with its end in eighths; even the shortest phase is seen. */
function place(s: Span, endMs: number, width: number): { before: number; bar: string } {
  const cell = endMs / width;
  const before = Math.min(width - 1, Math.floor(s.fromMs / cell));
  const length = Math.max(1 / 8, Math.min(width, s.toMs / cell) - before);
  const full = Math.floor(length);
  const eighths = Math.round((length - full) * 8);
  const tail = eighths === 8 ? '█' : eighths === 0 ? '' : ('▏▎▍▌▋▊▉'[eighths - 1] ?? '');
  return { before, bar: '█'.repeat(full) + tail || '▏' };
}

function axis(endMs: number, width: number, paint: Palette): string {
  const start = '0';
  const end = `${briefMs(endMs)} ms`;
  const line =
    start +
    '─'.repeat(Math.max(1, width - start.length - end.length - 2)).padStart(width - start.length - end.length - 1) +
    ` ${end}`;
  return `${' '.repeat(nameWidth)} ${paint.dim(line)}`;
}
