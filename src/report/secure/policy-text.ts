import type {
  PolicyHookProof,
  PolicyProof,
  PolicyProofRule,
  PolicyQuestion,
  PolicyWitness,
} from '../../model/secure/policy-proof.ts';
import { hang, pad, type Palette, palette, type TextOptions } from '../ansi.ts';

const words = {
  proved: 'proved',
  refuted: 'refuted',
  'not-proved': 'not proved',
  'proved-in-part': 'proved in part',
} as const;
const tones = { proved: 'pass', refuted: 'fail', 'not-proved': 'unknown', 'proved-in-part': 'unknown' } as const;

/** `inferpath secure policy prove` for a terminal: the verdict, each hook, and for what is wrong a packet and the rule behind it. */
export function renderPolicyProof(report: PolicyProof, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    head(report, columns, paint),
    [
      ...report.proofs.flatMap((proof) => hookLines(proof, columns, paint)),
      ...report.unsaid.flatMap((one) => unsaidLines(one, columns, paint)),
    ],
    report.notes.flatMap((note) => hang('· ', note, columns)).map(paint.dim),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

const verdictWords = {
  proved: 'the rules accept exactly what the policy permits',
  refuted: 'the rules do not mean what the policy says',
  'not-proved': 'nothing wrong was found, and not everything was understood',
  'proved-in-part': 'the rules accept exactly what the policy permits, as far as such rules can say it',
} as const;

function head({ verdict, texts, policy, host, lines }: PolicyProof, columns: number, paint: Palette): string[] {
  const what = texts.map(({ from, rules }) => `${from} (${rules} ${rules === 1 ? 'rule' : 'rules'})`).join(' and ');
  const whose = host === null ? '' : `, the part of ${host}`;
  return [
    ...hang(`${paint.verdict[tones[verdict]](words[verdict])}: `, verdictWords[verdict], columns),
    ...hang('  ', `${what} against ${policy} (${lines} ${lines === 1 ? 'line' : 'lines'}${whose})`, columns).map(
      paint.dim,
    ),
  ];
}

function unsaidLines({ what, lines }: PolicyProof['unsaid'][number], columns: number, paint: Palette): string[] {
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'} of the policy cannot be said here`;
  const named = lines.length > 0 ? ` (${lines.join(', ')})` : '';
  return hang(
    `${pad(what, 15)}  `,
    `${paint.verdict.unknown('not enforced by this')}: ${count}${named}; nor what it denies`,
    columns,
  );
}

function hookLines(proof: PolicyHookProof, columns: number, paint: Palette): string[] {
  const { hook, family, verdict, why, extra, missing, maybeExtra, maybeMissing, answers, answersBlocked } = proof;
  const label = `${pad(hook, 9)} IPv${family}  `;
  const below = ' '.repeat(label.length);
  return [
    `${label}${paint.verdict[tones[verdict]](words[verdict])}${why === null ? '' : `: ${why}`}`,
    ...(extra ? witnessLines('accepted, and no line permits it', extra, below, columns, paint) : []),
    ...(missing ? witnessLines('permitted, and not accepted', missing, below, columns, paint) : []),
    ...(maybeExtra ? questionLines('may be accepted, and no line permits it', maybeExtra, below, columns, paint) : []),
    ...(maybeMissing ? questionLines('permitted, and may not be accepted', maybeMissing, below, columns, paint) : []),
    ...(answers === 'proved' ? [] : answerLines(answers, answersBlocked, below, columns, paint)),
  ];
}

function answerLines(
  answers: PolicyHookProof['answers'],
  blocked: PolicyWitness | null,
  indent: string,
  columns: number,
  paint: Palette,
): string[] {
  const tone = paint.verdict[tones[answers]];
  if (!blocked)
    return hang(`${indent}${tone('answers')}: `, 'whether all answers pass hangs on what was not understood', columns);
  return witnessLines('an answer, and not accepted', blocked, indent, columns, paint, tone);
}

function witnessLines(
  what: string,
  { packet, by, lines }: PolicyWitness,
  indent: string,
  columns: number,
  paint: Palette,
  tone = paint.verdict.fail,
): string[] {
  return [
    `${indent}${tone(what)}:`,
    `${indent}  ${paint.bold(packetWords(packet))}`,
    ...hang(`${indent}  decided by `, ruleWords(by), columns),
    ...(lines.length > 0 ? hang(`${indent}  permitted by `, lines.join(', '), columns) : []),
  ];
}

/** Reasons that are shown; more only scroll the first ones away. */
const shownReasons = 4;

function questionLines(
  what: string,
  { packet, because, where }: PolicyQuestion,
  indent: string,
  columns: number,
  paint: Palette,
): string[] {
  const [first] = where;
  return [
    `${indent}${paint.verdict.unknown(what)}:`,
    `${indent}  ${paint.bold(packetWords(packet))}`,
    ...(first ? hang(`${indent}  among `, `${first.src} → ${first.dst}, ${first.service}`, columns) : []),
    ...because
      .slice(0, shownReasons)
      .flatMap((one) => hang(`${indent}  `, `${one.what}: ${ruleWords(one.rule)}`, columns)),
    ...(because.length > shownReasons ? [`${indent}  and ${because.length - shownReasons} more rules`] : []),
  ];
}

const packetWords = ({ src, dst, service }: PolicyWitness['packet']): string => `${src} → ${dst}  ${service}`;

function ruleWords({ chain, line, text }: PolicyProofRule): string {
  return `${chain}${line === null ? '' : `, line ${line}`}: ${text}`;
}
