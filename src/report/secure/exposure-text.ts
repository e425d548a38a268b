import type { Verdict } from '../../model/finding.ts';
import type { ExposedService, ExposureReport, OwnListener } from '../../model/secure/exposure.ts';
import { engines } from '../../measure/exposure/engines.ts';
import { placeOf } from '../../secure/exposure/findings.ts';
import { hang, pad, type Palette, palette, type TextOptions } from '../ansi.ts';

const authVerdict: Record<ExposedService['auth'], Verdict> = {
  none: 'fail',
  partial: 'fail',
  enforced: 'pass',
  unknown: 'unknown',
};
const authWords: Record<ExposedService['auth'], string> = {
  none: 'OPEN',
  partial: 'PARTLY OPEN',
  enforced: 'wants a key',
  unknown: 'not known',
};
const reachWords: Record<OwnListener['reach'], string> = {
  loopback: 'this machine only',
  address: 'one address',
  everywhere: 'all addresses',
};

/** `inferpath secure exposure` for a terminal: what was asked, what stands where, and what to do about it. */
export function renderExposureText(report: ExposureReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    askedLines(report, columns, paint),
    ...(report.listeners === null ? [] : [listenerLines(report.listeners, columns, paint)]),
    report.services.flatMap((service) => serviceLines(service, columns, paint)),
    findingLines(report, columns, paint),
    verdictLine(report, columns, paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function askedLines(
  { asked, notAsked, ports, counts, vantage, complete }: ExposureReport,
  columns: number,
  paint: Palette,
): string[] {
  const sum = `${plural(counts.addresses, 'address', 'es')}, ${plural(ports.length, 'port')}; ${counts.open} open, ${counts.refused} closed, ${counts.silent} silent; ${plural(counts.requests, 'request')}`;
  return [
    ...(counts.addresses > 0
      ? hang(paint.bold('Asked '), `from ${vantage}: ${sum}${complete ? '' : ' (interrupted)'}`, columns, 6)
      : []),
    ...asked.flatMap(({ range, permittedBy }) => hang('  ', `${range} (${permittedBy})`, columns)),
    ...notAsked.flatMap(({ range, why }) => hang('  ', `not asked: ${range}: ${why}`, columns)).map(paint.dim),
    ...(counts.silent > 0 ? hang('  ', 'Silent ports say neither open nor closed.', columns).map(paint.dim) : []),
  ];
}

function listenerLines(listeners: readonly OwnListener[], columns: number, paint: Palette): string[] {
  if (listeners.length === 0) return [paint.bold('Sockets of this machine that wait for connections: none')];
  const width = Math.min(44, Math.max(...listeners.map((one) => placeOf(one).length)));
  return [
    paint.bold('Sockets of this machine that wait for connections'),
    ...listeners.flatMap((one) =>
      hang(
        `  ${pad(placeOf(one), width)}  `,
        `${reachWords[one.reach]}${one.usedBy === null ? '' : ` · usual port of ${one.usedBy}`}`,
        columns,
      ),
    ),
  ];
}

function serviceLines(service: ExposedService, columns: number, paint: Palette): string[] {
  const { engine, identity, version, transport, auth, why, checks, host, address } = service;
  const title = engines.find(({ name }) => name === engine)?.title;
  const who =
    title === undefined
      ? transport === 'tcp'
        ? 'no HTTP'
        : `${transport.toUpperCase()}, no known engine`
      : `${identity === 'likely' ? 'probably ' : ''}${title}${version === null ? '' : ` ${version}`}, ${transport}`;
  const open = checks.filter(({ answer }) => answer === 'open').map(({ path }) => path);
  const state = paint.verdict[authVerdict[auth]](authWords[auth]);
  return [
    ...hang(`${pad(state, 11)}  `, `${placeOf(service)}${host === address ? '' : ` (${host})`}  ${who}`, columns, 13),
    ...(engine === null
      ? []
      : hang(
          ' '.repeat(13),
          auth === 'partial' || auth === 'none'
            ? why
            : `${why}${open.length > 0 && auth === 'unknown' ? `; open: ${open.join(', ')}` : ''}`,
          columns,
        ).map(paint.dim)),
  ];
}

function findingLines({ findings }: ExposureReport, columns: number, paint: Palette): string[] {
  return findings
    .filter(({ verdict, severity }) => verdict === 'fail' || (verdict === 'unknown' && severity !== 'info'))
    .flatMap(({ verdict, subject, claim, remedy, id }) => [
      ...hang(
        `${paint.verdict[verdict](verdict === 'fail' ? 'FAIL' : 'UNKNOWN')} `,
        `${subject}  ${claim} [${id}]`,
        columns,
        5,
      ),
      ...(remedy ? hang('     → ', remedy.text, columns) : []),
    ]);
}

function verdictLine(
  { findings, counts, services, complete }: ExposureReport,
  columns: number,
  paint: Palette,
): string[] {
  const failed = findings.filter((f) => f.verdict === 'fail').length;
  const unknown = findings.filter((f) => f.verdict === 'unknown').length + (complete ? 0 : 1);
  if (failed > 0)
    return hang(
      `${paint.verdict.fail('EXPOSED')} `,
      `${plural(failed, 'finding')} to mend${unknown > 0 ? `, ${unknown} not known` : ''}`,
      columns,
      8,
    );
  if (unknown > 0 || counts.silent > 0)
    return hang(
      `${paint.verdict.unknown('NOT KNOWN')} `,
      `nothing that others surely reach was found open; ${unknown > 0 ? `${plural(unknown, 'question')} ${unknown === 1 ? 'stays' : 'stay'} open` : `${plural(counts.silent, 'port')} did not answer`}`,
      columns,
      10,
    );
  if (services.length === 0)
    return hang(
      `${paint.verdict.pass('CLOSED')} `,
      'no port that was asked accepted a connection from here',
      columns,
      7,
    );
  return hang(
    `${paint.verdict.pass('GUARDED')} `,
    'everything that was recognised wants a key or is reached only by this machine',
    columns,
    8,
  );
}

function plural(n: number, word: string, ending = 's'): string {
  return `${n} ${word}${n === 1 ? '' : ending}`;
}
