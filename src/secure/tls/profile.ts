import type { TlsSurvey } from '../../model/secure/tls-survey.ts';
import type { TlsGate, TlsVerdict } from '../../model/secure/tls.ts';
import { has, probe, replyText, saidIn } from './probes.ts';

/** What can be looked at; a profile says which of these it wants, and from when. */
export type Check =
  | 'tls13'
  | 'no-old-versions'
  | 'pq-key-exchange'
  | 'ml-kem-1024'
  | 'only-ml-kem-1024'
  | 'classical-strength'
  | 'pq-certificate'
  | 'ml-dsa-87-certificate'
  | 'aes-256'
  | 'path';

export interface Source {
  title: string;
  url: string;
  /** Date of the text itself. */
  date: string;
  /** What was read to check it, and what was not. */
  checked: string;
}

export interface Requirement {
  id: string;
  check: Check;
  text: string;
  /** First day on which it has to be kept, null for always. */
  requiredFrom: string | null;
  source: Source;
}

/** A set of requirements with the day on which their sources were read. */
export interface Profile {
  id: 'baseline' | 'nist' | 'cnsa2';
  title: string;
  asOf: string;
  note: string;
  requirements: readonly Requirement[];
}

interface Seen {
  kept: boolean | null;
  evidence: string;
  by: string[];
}

/** Each requirement of a profile as a gate. What is not kept yet and has to be only later is `not-yet`, with its date. */
export function gatesOf(
  profile: Profile,
  survey: TlsSurvey,
  verdict: TlsVerdict,
  pathIsClean: boolean | null,
  nowMs: number,
): TlsGate[] {
  return profile.requirements.map(({ id, check, text, requiredFrom, source }) => {
    const { kept, evidence, by } = look(check, survey, verdict, pathIsClean);
    const isDue = requiredFrom === null || nowMs >= Date.parse(`${requiredFrom}T00:00:00Z`);
    const status = kept === null ? 'unknown' : kept ? 'pass' : isDue ? 'fail' : 'not-yet';
    return { id, text, status, evidence, by, requiredFrom, source: `${source.title} (${source.date}), ${source.url}` };
  });
}

function look(check: Check, survey: TlsSurvey, verdict: TlsVerdict, pathIsClean: boolean | null): Seen {
  switch (check) {
    case 'tls13':
      return versionSeen(survey, 'TLS 1.3');
    case 'no-old-versions':
      return noOldVersions(survey);
    case 'pq-key-exchange':
      return {
        kept: verdict.kind === 'unknown' ? null : verdict.kind === 'pq-default' || verdict.kind === 'pq-by-retry',
        evidence: verdict.reason,
        by: verdict.by,
      };
    case 'ml-kem-1024':
      return groupsSeen(survey, (names) => names.some((name) => level5.has(name)), 'with ML-KEM-1024');
    case 'only-ml-kem-1024':
      return groupsSeen(
        survey,
        (names) => names.every((name) => level5.has(name)),
        'with anything but ML-KEM-1024',
        true,
      );
    case 'classical-strength':
      return certificateSeen(survey, (one) => isStrong(one.key, one.keyBits), true);
    case 'pq-certificate':
      return certificateSeen(survey, (one) => bool(one.keyResistance));
    case 'ml-dsa-87-certificate':
      return certificateSeen(survey, ({ key }) => key === 'ML-DSA-87');
    case 'aes-256':
      return aes256(survey);
    case 'path':
      return {
        kept: pathIsClean,
        evidence: pathIsClean ? 'every form of ClientHello is borne' : 'see the table of ClientHellos',
        by: ['browser'],
      };
  }
}

const level5 = new Set(['SecP384r1MLKEM1024', 'MLKEM1024']);
const bool = (resistance: 'post-quantum' | 'classical' | 'unknown'): boolean | null =>
  resistance === 'unknown' ? null : resistance === 'post-quantum';

function versionSeen(survey: TlsSurvey, name: string): Seen {
  const found = survey.versions.find(({ version }) => version === name);
  const support = found?.support ?? 'unknown';
  return {
    kept: support === 'unknown' ? null : support === 'yes',
    evidence: `${name}: ${support}`,
    by: found?.by ? [found.by] : [],
  };
}

function noOldVersions(survey: TlsSurvey): Seen {
  const old = survey.versions.filter(({ version }) => version === 'TLS 1.0' || version === 'TLS 1.1');
  const isThere = old.some(({ support }) => support === 'yes');
  const isOpen = old.length === 0 || old.some(({ support }) => support === 'unknown');
  return {
    kept: isThere ? false : isOpen ? null : true,
    evidence: old.map(({ version, support }) => `${version}: ${support}`).join(', ') || 'not asked',
    by: old.flatMap(({ by }) => by ?? []),
  };
}

function groupsSeen(survey: TlsSurvey, wanted: (names: string[]) => boolean, words: string, isForAll = false): Seen {
  const there = has(survey);
  const names = there.map(({ name }) => name);
  const isOpen = survey.groups.length === 0 || survey.groups.some(({ support }) => support === 'unknown');
  const yes = names.length > 0 && wanted(names);
  // One group that is there decides "some", one that is wrong decides "all"; the rest may stay open.
  const kept = isForAll
    ? names.length > 0 && !yes
      ? false
      : isOpen || names.length === 0
        ? null
        : true
    : yes
      ? true
      : isOpen
        ? null
        : false;
  return {
    kept,
    evidence: names.length > 0 ? `groups ${words}: looked for among ${names.join(', ')}` : 'no group known',
    by: there.flatMap(({ by }) => by ?? []),
  };
}

function certificateSeen(
  survey: TlsSurvey,
  wanted: (leaf: TlsSurvey['chains'][number]['certificates'][number]) => boolean | null,
  isForAll = false,
): Seen {
  const leaves = survey.chains.flatMap(({ certificates }) => certificates.slice(0, 1));
  if (leaves.length === 0) return { kept: null, evidence: 'no certificate was read', by: [] };
  const results = leaves.map(wanted);
  const decides = !isForAll;
  return {
    kept: results.includes(decides) ? decides : results.includes(null) ? null : !decides,
    evidence: leaves
      .map(({ key, keyBits }) => (keyBits === null || key.startsWith('EC') ? key : `${key} ${keyBits}`))
      .join(', '),
    by: survey.chains.map(({ by }) => by),
  };
}

function isStrong(key: string, bits: number | null): boolean | null {
  if (key.startsWith('RSA')) return bits === null ? null : bits >= 2048;
  if (key.startsWith('EC')) return bits === null ? null : bits >= 256;
  return key.startsWith('ML-DSA') || key.startsWith('SLH-DSA') || key.startsWith('Ed') ? true : null;
}

function aes256(survey: TlsSurvey): Seen {
  const row = probe(survey, 'suite-aes-256');
  if (!row) return { kept: null, evidence: 'not asked', by: [] };
  const suite = saidIn(row.reply)?.suite;
  const kept = suite === 'TLS_AES_256_GCM_SHA384' ? true : row.reply.kind === 'alert' ? false : null;
  return { kept, evidence: suite ?? replyText(row.reply), by: [row.id] };
}
