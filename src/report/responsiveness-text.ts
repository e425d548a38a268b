import { describeOutcome, printable } from '../model/outcome.ts';
import type { ResponsivenessDirection, ResponsivenessReport } from '../model/responsiveness.ts';
import { hang, pad, type Palette, palette, type TextOptions } from './ansi.ts';
import { duration, num, plural } from './format.ts';

const endings: Record<ResponsivenessDirection['ended'], string> = {
  stable: 'the result is stable',
  duration: 'the time limit ended it (--duration)',
  bytes: 'the limit of bytes ended it (--max-bytes)',
  failed: 'a connection failed',
  interrupted: 'interrupted',
};

/** A round trip of so many ms is so many RPM; the targets of interactive inference and of trading desks. */
const targets = [
  { ms: 50, rpm: 1200 },
  { ms: 10, rpm: 6000 },
] as const;

const NAME_CELLS = 10;

/** What `inferpath responsiveness` prints for people. */
export function renderResponsivenessText(report: ResponsivenessReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(40, Math.min(options.columns, 120));
  const blocks = [
    hang('', `responsiveness of ${printable(report.url, 300)}`, columns).map(paint.bold),
    report.outcome.kind === 'answered'
      ? []
      : hang(paint.verdict.fail('COULD NOT MEASURE  '), describeOutcome(report.outcome), columns),
    report.idle ? rows('idle', idleLines(report.idle), columns, paint) : [],
    ...report.directions.map((one) => rows(one.direction, directionLines(one, paint), columns, paint)),
    clientLines(report, columns, paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

/** The name in front of the first line, the others below it. */
function rows(name: string, lines: readonly string[], columns: number, paint: Palette): string[] {
  return lines.flatMap((line, i) =>
    hang(i === 0 ? paint.bold(pad(name, NAME_CELLS)) : ' '.repeat(NAME_CELLS), line, columns),
  );
}

function idleLines({ rpm, tcpMs, tlsMs, httpMs, probes }: NonNullable<ResponsivenessReport['idle']>): string[] {
  return [
    `${num(rpm)} RPM: a round trip takes ${duration(60_000 / rpm)} (${plural(probes, 'probe')})`,
    `TCP ${duration(tcpMs)} · TLS ${duration(tlsMs)} · request ${duration(httpMs)}`,
  ];
}

function directionLines(result: ResponsivenessDirection, paint: Palette): string[] {
  const { rpm, grade, trimmedMeans: means } = result;
  if (rpm === null || grade === null || means === null)
    return [
      `${paint.verdict.unknown('no result')}: ${endings[result.ended]}; ${describeOutcome(result.outcome)}`,
      probeLine(result),
    ];
  const good = grade === 'good' || grade === 'excellent';
  const colour = grade === 'poor' ? paint.verdict.fail : good ? paint.verdict.pass : paint.verdict.unknown;
  const failed = result.ended === 'failed' ? [paint.verdict.fail(describeOutcome(result.outcome))] : [];
  const mark = (limit: number) => (rpm >= limit ? paint.verdict.pass('met') : paint.verdict.fail('not met'));
  return [
    `${colour(`${num(rpm)} RPM, ${grade}`)}: a round trip takes ${duration(60_000 / rpm)} under load`,
    `confidence ${result.confidence.responsiveness}: ${endings[result.ended]}`,
    ...failed,
    `new connections ${num(result.foreignRpm ?? 0)} RPM: TCP ${duration(means.tcpMs)} · TLS ${duration(means.tlsMs)} · request ${duration(means.httpMs)}`,
    `beside the load ${num(result.loadedRpm ?? 0)} RPM: request ${duration(means.selfMs)}`,
    `goodput ${num(result.goodputMbit ?? 0)} Mbit/s (confidence ${result.confidence.goodput}) by ${plural(result.connections, 'connection')}, ${megabytes(result.bytes)} in ${(result.durationMs / 1000).toFixed(0)} s`,
    probeLine(result),
    targets.map(({ ms, rpm: limit }) => `${ms} ms (${limit} RPM) ${mark(limit)}`).join(' · '),
  ];
}

function probeLine({ probes }: ResponsivenessDirection): string {
  const failure = probes.failure === null ? '' : ` (${printable(probes.failure, 120)})`;
  const lost = [
    probes.failed > 0 ? `${probes.failed} failed${failure}` : '',
    probes.skipped > 0 ? `${probes.skipped} left out` : '',
  ].filter(Boolean);
  return [`probes: ${probes.foreign} on new connections, ${probes.self} beside the load`, ...lost].join(', ');
}

function clientLines({ client, notes }: ResponsivenessReport, columns: number, paint: Palette): string[] {
  const { eventLoopLagP99Ms, eventLoopLagMaxMs, cpuShare, bottleneck } = client;
  const own = `this client: event loop late p99 ${duration(eventLoopLagP99Ms)}, max ${duration(eventLoopLagMaxMs)}; ${num(cpuShare)} CPU`;
  const warning =
    'this client may have been the bottleneck: the path can be better than this; goodput and RPM are lower bounds';
  return [
    ...(bottleneck ? hang('', warning, columns).map(paint.verdict.unknown) : []),
    ...[own, ...notes].flatMap((line) => hang('', line, columns).map(paint.dim)),
  ];
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${num(bytes / 1e9)} GB` : `${num(bytes / 1e6)} MB`;
}
