import { printable } from '../../model/outcome.ts';
import type { TlsChain, TlsGroup } from '../../model/secure/tls-survey.ts';
import type {
  HarvestExposure,
  PathCheck,
  SecureTlsReport,
  TlsCost,
  TlsEndpointReport,
  TlsGate,
} from '../../model/secure/tls.ts';
import { preferRemedy, switchOnRemedy, switchOnText } from '../../secure/tls/switch-on.ts';
import { cells, hang, pad, padLeft, type Palette, palette, type TextOptions, wrap } from '../ansi.ts';
import { num, plural } from '../format.ts';

const INDENT = '  ';
/** Width of the words before a line. */
const LABEL = 13;

/** `inferpath secure tls` for a terminal: the verdict of each endpoint first, then what it rests on, then what to change. */
export function renderSecureTlsText(report: SecureTlsReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const blocks = report.endpoints.flatMap((one) => endpoint(one, report, columns, paint));
  const end = [
    ...remedies(report, columns, paint),
    ...(report.interrupted ? ['interrupted: what is not known was not asked'] : []),
  ];
  return `${[...blocks, ...(end.length > 0 ? [end] : [])].map((lines) => lines.map((l) => l.trimEnd()).join('\n')).join('\n\n')}\n`;
}

function endpoint(one: TlsEndpointReport, report: SecureTlsReport, columns: number, paint: Palette): string[][] {
  const { survey } = one;
  const name = one.name === survey.endpoint ? survey.endpoint : `${one.name} ${survey.endpoint}`;
  const how = `${survey.address ?? 'no address'}${survey.starttls ? `, STARTTLS ${survey.starttls}` : ''} · ${plural(survey.probes.length, 'connection')} in ${num(survey.durationMs / 1000)} s`;
  const head = [paint.bold(printable(name)), paint.dim(how), '', ...verdict(one, columns, paint)];
  const facts = [
    ...line('versions', versions(one), columns),
    ...line('groups', groupsText(survey.groups), columns),
    ...line('order', orderText(one), columns),
    ...line('signatures', survey.signatures.map(({ family, support }) => `${family} ${support}`).join(' · '), columns),
    ...survey.chains.flatMap((chain) => line('certificate', chainText(chain), columns)),
  ];
  return [
    head,
    facts,
    path(one, columns, paint),
    costs(one.costs, columns),
    gates(one.gates, report, columns, paint),
    exposure(one.exposure, columns),
  ].filter((block) => block.length > 0);
}

const words = {
  'pq-default': 'POST-QUANTUM by default',
  'pq-by-retry': 'POST-QUANTUM, one round trip later',
  'pq-possible-not-chosen': 'CLASSICAL, although it could do better',
  classical: 'CLASSICAL',
  unknown: 'UNKNOWN',
} as const;

function verdict({ verdict: { kind, reason } }: TlsEndpointReport, columns: number, paint: Palette): string[] {
  const color = kind === 'unknown' ? 'unknown' : kind === 'pq-default' || kind === 'pq-by-retry' ? 'pass' : 'fail';
  return [paint.verdict[color](words[kind]), ...hang(INDENT, printable(reason, 400), columns)];
}

const mark = { yes: '✓', no: '–', unknown: '?' } as const;
const versions = ({ survey }: TlsEndpointReport): string =>
  survey.versions.map(({ version, support }) => `${version.slice(4)} ${mark[support]}`).join('   ');

function groupsText(groups: readonly TlsGroup[]): string {
  const there = groups
    .filter(({ support }) => support === 'yes')
    .sort((a, b) => (a.rank ?? 99) - (b.rank ?? 99))
    .map(({ name, kind }) =>
      kind === 'classical' ? name : `${name} (${kind === 'draft' ? 'obsolete draft, no credit' : kind})`,
    );
  const open = groups.filter(({ support }) => support === 'unknown').map(({ name }) => name);
  const no = groups.filter(({ support }) => support === 'no').length;
  return [
    there.join(', ') || (groups.length > 0 ? 'none of TLS 1.3' : ''),
    ...(open.length > 0 ? [`not known: ${open.join(', ')}`] : []),
    ...(no > 0 ? [`${no} refused`] : []),
  ]
    .filter(Boolean)
    .join('; ');
}

const orders = {
  server: 'the server’s own',
  client: 'the client’s',
  'only-one': 'there is only one group',
  unknown: '',
} as const;
const orderText = ({ survey }: TlsEndpointReport): string => orders[survey.preference];

function chainText({ certificates, unreadable, scheme, isSignatureValid, messageBytes }: TlsChain): string {
  const [leaf] = certificates;
  if (!leaf) return `cannot be read: ${printable(unreadable[0] ?? 'empty')}`;
  const key = leaf.keyBits !== null && leaf.key.startsWith('RSA') ? `${leaf.key} ${leaf.keyBits}` : leaf.key;
  const proof = isSignatureValid === null ? 'not checked' : isSignatureValid ? 'valid' : 'INVALID';
  return [
    `${key}${leaf.keyResistance === 'post-quantum' ? ' (post-quantum)' : ''}, ${printable(leaf.subject, 60)}`,
    `signed with ${leaf.signature} by ${leaf.isSelfIssued ? 'itself' : printable(leaf.issuer, 60)}`,
    `until ${leaf.notAfter.slice(0, 10)}`,
    ...(scheme ? [`handshake signature ${scheme}, ${proof}`] : []),
    `${plural(certificates.length + unreadable.length, 'certificate')}, ${messageBytes} octets`,
  ].join('; ');
}

function path({ path: { checks, diagnosis }, survey }: TlsEndpointReport, columns: number, paint: Palette): string[] {
  const asked = checks.filter(({ result }) => result !== 'not-asked');
  if (asked.length === 0) return [];
  const color = diagnosis.kind === 'clean' ? 'pass' : diagnosis.kind === 'unknown' ? 'unknown' : 'fail';
  const large = survey.probes.find(({ id }) => id === 'browser');
  const size = large
    ? ` (large: ${large.sentBytes} octets${large.segments === null ? '' : `, ${plural(large.segments, 'segment')}`})`
    : '';
  const width = Math.min(Math.max(...asked.map(({ about }) => cells(about))), Math.max(20, columns - 24));
  return [
    `what post-quantum clients meet${size}`,
    ...hang(INDENT, `${diagnosis.text}.`, columns).map((l, i) =>
      i === 0 ? INDENT + paint.verdict[color](l.trimStart()) : l,
    ),
    ...(color === 'fail' ? hang(INDENT, `who: ${diagnosis.place}`, columns) : []),
    ...asked.flatMap((check) => checkLine(check, width, columns, paint)),
  ];
}

const checkMark = { ok: '✓', fails: '✗', unknown: '?', 'not-asked': ' ' } as const;

function checkLine({ result, about, how }: PathCheck, width: number, columns: number, paint: Palette): string[] {
  const color = { ok: 'pass', fails: 'fail', unknown: 'unknown', 'not-asked': 'unknown' } as const;
  const prefix = `${INDENT}${paint.verdict[color[result]](checkMark[result])} ${pad(about, width)}  `;
  return hang(prefix, printable(how), columns);
}

function costs(all: readonly TlsCost[], columns: number): string[] {
  if (all.length === 0) return [];
  const width = Math.min(Math.max(...all.map(({ about }) => cells(about))), Math.max(20, columns - 46));
  return [
    `${pad('what switching it on costs', width + 2)}${padLeft('without', 9)}${padLeft('with', 9)}`,
    ...all.flatMap(({ about, now, with: value, unit, how }) => {
      const numbers = `${padLeft(now === null ? '?' : num(now), 9)}${padLeft(value === null ? '?' : num(value), 9)}  ${unit}${how === 'computed' ? ' (computed)' : ''}`;
      const [first = '', ...rest] = wrap(about, width);
      return [`${INDENT}${pad(first, width)}${numbers}`, ...rest.map((l) => `${INDENT}${INDENT}${l}`)];
    }),
  ];
}

function gates(all: readonly TlsGate[], { profile }: SecureTlsReport, columns: number, paint: Palette): string[] {
  const marks = {
    pass: paint.verdict.pass('✓'),
    fail: paint.verdict.fail('✗'),
    'not-yet': paint.verdict.unknown('…'),
    unknown: paint.verdict.unknown('?'),
  };
  return [
    ...wrap(`profile ${profile.title} (as of ${profile.asOf})`, columns),
    ...all.flatMap(({ status, text, evidence, requiredFrom }) => {
      const due =
        requiredFrom === null ? '' : status === 'not-yet' ? `; due ${requiredFrom}` : `; since ${requiredFrom}`;
      return hang(`${INDENT}${marks[status]} `, `${text}: ${printable(evidence, 300)}${due}`, columns);
    }),
  ];
}

function exposure(all: readonly HarvestExposure[], columns: number): string[] {
  if (all.length === 0) return [];
  return [
    'harvest now, decrypt later',
    ...all.flatMap(({ dataClass, exposedYears, formula, status }) => {
      const years =
        exposedYears === null
          ? 'not known'
          : exposedYears[0] === exposedYears[1]
            ? `${num(exposedYears[0])} years`
            : `${num(exposedYears[0])} to ${num(exposedYears[1])} years`;
      return hang(INDENT, `${printable(dataClass, 60)}: ${status}, ${years}: ${formula}`, columns, 4);
    }),
  ];
}

/** Each remedy once, however many endpoints need it. */
function remedies({ findings }: SecureTlsReport, columns: number, paint: Palette): string[] {
  const texts = [
    ...new Set(findings.filter(({ verdict }) => verdict === 'fail').flatMap(({ remedy }) => remedy?.text ?? [])),
  ];
  if (texts.length === 0) return [];
  return [
    paint.bold('what to change'),
    ...texts.flatMap((text) => [
      ...hang('→ ', text, columns),
      ...(text === switchOnRemedy || text === preferRemedy
        ? switchOnText.flatMap((how) => hang('    ', how, columns, 6))
        : []),
    ]),
  ];
}

function line(label: string, text: string, columns: number): string[] {
  return text === '' ? [] : hang(pad(label, LABEL), printable(text, 600), columns);
}
