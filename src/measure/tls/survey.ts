import { isIP } from 'node:net';
import { printable } from '../../model/outcome.ts';
import type {
  Support,
  TlsCertificateFacts,
  TlsChain,
  TlsProbeRow,
  TlsReply,
  TlsSurvey,
} from '../../model/secure/tls-survey.ts';
import { DerError } from '../../wire/der.ts';
import type { Io } from '../../wire/io.ts';
import { ConnectError, formatTarget, type TcpTarget, type TcpTransport } from '../../wire/tcp/connection.ts';
import { readCertificate } from '../../wire/tls/certificate.ts';
import { schemeName, schemes, suites12, version, versionName } from '../../wire/tls/code-points.ts';
import { groups } from '../../wire/tls/groups.ts';
import { canShare } from '../../wire/tls/key-share.ts';
import { type Answer, Asker, orTls12 } from './asker.ts';
import type { Cut } from './converse.ts';
import { saysNone, surveyGroups } from './group-survey.ts';
import type { StartTls } from './starttls.ts';

export interface TlsEndpoint {
  host: string;
  port: number;
  starttls: StartTls | null;
  /** For SNI; null where the host is an address and no name is given. */
  serverName: string | null;
}

export interface SurveyOptions {
  timeoutMs: number;
  /** Connections per second, at most. */
  rate: number;
  alpn: readonly string[];
  /** Pause between the two pieces of a ClientHello that is split. */
  gapMs: number;
  family?: 4 | 6 | undefined;
  onAnswer?: ((row: TlsProbeRow) => void) | undefined;
}

const [X25519MLKEM768, X25519, P256, P384] = [0x11_ec, 0x00_1d, 0x00_17, 0x00_18] as const;
const browserGroups = [X25519MLKEM768, X25519, P256, P384];
const classicalGroups = [X25519, P256, P384, 0x00_19, 0x00_1e];
const shareable = groups.map(({ id }) => id).filter(canShare);

/**
 * Everything that can be learnt about the TLS of one endpoint without a key of its own: some 25 connections, one after the other,
 * to the first address of the name. Ends early where nothing answers at all.
 */
export async function surveyTls(
  endpoint: TlsEndpoint,
  options: SurveyOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<TlsSurvey> {
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const { serverName } = endpoint;
  const resolved = await resolve(endpoint, options.family, io);
  const base = { ...endpointFacts(endpoint), serverName, startedAt, asksClientCertificate: null };
  const empty = {
    mssBytes: null,
    versions: [],
    groups: [],
    preference: 'unknown',
    signatures: [],
    chains: [],
  } as const;
  if ('row' in resolved)
    return {
      ...base,
      ...copy(empty),
      address: null,
      probes: [resolved.row(startedAt)],
      durationMs: io.clock.monoMs() - beganMs,
      interrupted: signal.aborted,
    };
  await transport.ready;
  const asker = new Asker(
    {
      way: { target: resolved, starttls: endpoint.starttls, timeoutMs: options.timeoutMs },
      serverName,
      alpn: options.alpn,
      intervalMs: 1000 / options.rate,
      onAnswer: options.onAnswer,
    },
    transport,
    io,
    signal,
  );
  const learnt = await learn(asker, options.gapMs);
  return {
    ...base,
    address: formatTarget(resolved),
    ...(learnt ?? copy(empty)),
    mssBytes: asker.mssBytes,
    probes: asker.rows,
    chains: chainsOf(asker.answers),
    asksClientCertificate: asksClient(asker.answers),
    durationMs: io.clock.monoMs() - beganMs,
    interrupted: signal.aborted,
  };
}

type Learnt = Pick<TlsSurvey, 'versions' | 'groups' | 'preference' | 'signatures'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly [] ? [] : T[K] };
const copy = <T extends object>(value: T): Mutable<T> => structuredClone(value) as Mutable<T>;

/** The plan. Null where nothing at all answers: then every further question would only wait. */
async function learn(asker: Asker, gapMs: number): Promise<Learnt | null> {
  const control = await asker.ask({
    id: 'control',
    about: 'a client of before post-quantum: x25519 share, classical groups, TLS 1.3 and 1.2',
    offer: { ...orTls12, groups: classicalGroups, shares: [X25519] },
    depth: 'end',
  });
  const { kind } = control.reply;
  if (kind === 'unreached' || kind === 'interrupted' || (kind === 'malformed' && control.reply.after === 'nothing'))
    return null;
  const browser = await asker.ask(
    bigHello('browser', 'what browsers send: shares for X25519MLKEM768 and x25519', null),
  );
  // Neither is answered: whatever is there does not speak TLS with us.
  if (kind !== 'complete' && isSilent(control.reply) && isSilent(browser.reply)) return null;
  const versions = await surveyVersions(asker, [control, browser]);
  const { groups, preference } = await surveyGroups(asker, versions[0]!.support);
  await askSplits(asker, browser.row.sentBytes, gapMs);
  await askTraps(asker, versions[0]!.support);
  const signatures = await surveySignatures(asker, versions[0]!.support);
  return { versions, groups, preference, signatures };
}

const isSilent = ({ kind }: TlsReply): boolean => kind === 'timedOut' || kind === 'reset' || kind === 'closed';

const bigHello = (id: string, about: string, cut: Cut | null) => ({
  id,
  about,
  offer: { ...orTls12, groups: browserGroups, shares: [X25519MLKEM768, X25519] },
  depth: cut ? ('answer' as const) : ('end' as const),
  cut,
});

/** The large ClientHello in two pieces at several places, and a small one: who cannot read that fails by itself (tldr.fail). */
async function askSplits(asker: Asker, sentBytes: number, gapMs: number): Promise<void> {
  const half = Math.floor(sentBytes / 2);
  for (const [where, at] of [
    ['1', 1],
    ['200', 200],
    ['half', half],
    ['1200', 1200],
  ] as const) {
    if (asker.isInterrupted) return;
    const about = `the ClientHello of browsers in two writes, cut behind octet ${at}, ${gapMs} ms between`;
    await asker.ask(bigHello(`split-large-${where}`, about, { at, gapMs }));
  }
  await asker.ask({
    id: 'split-small',
    about: `the small ClientHello in two writes, cut behind octet 100, ${gapMs} ms between`,
    offer: { ...orTls12, groups: classicalGroups, shares: [X25519] },
    depth: 'answer',
    cut: { at: 100, gapMs },
  });
}

/** Questions that a correct server answers and some do not. */
async function askTraps(asker: Asker, hasTls13: Support): Promise<void> {
  if (hasTls13 !== 'no') {
    const advertised = await asker.ask({
      id: 'advertised',
      about: 'post-quantum groups offered, share for x25519 only: does the server ask for a retry?',
      offer: { ...orTls12, groups: [X25519MLKEM768, X25519, P256, P384], shares: [X25519] },
      depth: 'end',
    });
    if (!advertised.heard.retry)
      await asker.ask({
        id: 'retry',
        about: 'no key share, then the second ClientHello that the server asks for',
        offer: { groups: shareable },
        depth: 'end',
      });
  }
  if (hasTls13 !== 'no')
    await asker.ask({
      id: 'suite-aes-256',
      about: 'AES-256 with SHA-384 alone',
      offer: { groups: shareable, shares: [X25519], suites: [0x13_02] },
      depth: 'answer',
    });
  await asker.ask({
    id: 'unknown-share',
    about: 'GREASE and the share of a group that nobody knows, before x25519',
    offer: { ...orTls12, groups: classicalGroups, shares: [X25519], unknownFirst: true },
    depth: 'hello',
  });
  await asker.ask({
    id: 'tls12-offer',
    about: 'TLS 1.2 alone, with X25519MLKEM768 among its groups: the server must not take it',
    offer: { versions: [version.tls12], suites: suites12, groups: browserGroups },
    depth: 'end',
  });
}

/** Each version alone where it has not been seen yet. */
async function surveyVersions(asker: Asker, seen: readonly Answer[]): Promise<TlsSurvey['versions']> {
  const found: TlsSurvey['versions'] = [];
  for (const one of [version.tls13, version.tls12, version.tls11, version.tls10]) {
    const name = versionName(one);
    const known = seen.find(({ heard }) => heard.hello?.version === one);
    if (known) {
      found.push({ version: name, support: 'yes', by: known.row.id });
      continue;
    }
    const id = `version-${name.slice(4)}`;
    const offer =
      one === version.tls13
        ? { groups: shareable, shares: [X25519] }
        : { versions: [one], suites: suites12, groups: classicalGroups };
    const { heard, reply } = await asker.ask({ id, about: `${name} alone`, offer, depth: 'hello' });
    const said = (heard.hello ?? heard.retry)?.version === one;
    found.push({ version: name, support: said ? 'yes' : saysNone(reply) ? 'no' : 'unknown', by: id });
  }
  return found;
}

const families = [
  ['ML-DSA', schemes.mlDsa],
  ['ECDSA', schemes.ecdsa],
  ['RSA', schemes.rsa],
] as const;

/** A whole handshake for each family of signatures: a ServerHello alone does not show that the server can sign. */
async function surveySignatures(asker: Asker, hasTls13: Support): Promise<TlsSurvey['signatures']> {
  if (hasTls13 === 'no') return [];
  const found: TlsSurvey['signatures'] = [];
  for (const [family, list] of families) {
    const id = `signature-${family.toLowerCase()}`;
    const offer = { groups: shareable, shares: [X25519], schemes: list };
    const { reply, heard } = await asker.ask({
      id,
      about: `${family} signatures alone, whole handshake`,
      offer,
      depth: 'end',
    });
    const { signature } = heard;
    const fits = signature !== null && (list as readonly number[]).includes(signature.scheme);
    const support: Support = reply.kind === 'complete' && fits ? 'yes' : saysNone(reply) ? 'no' : 'unknown';
    found.push({ family, support, scheme: signature && fits ? schemeName(signature.scheme) : null, by: id });
  }
  return found;
}

function asksClient(answers: readonly Answer[]): boolean | null {
  const whole = answers.filter(({ heard }) => heard.isComplete && heard.certificates.length > 0);
  return whole.length === 0 ? null : whole.some(({ heard }) => heard.clientSchemes !== null);
}

/** Each different chain once, with the first probe that saw it. */
function chainsOf(answers: readonly Answer[]): TlsChain[] {
  const seen = new Map<string, TlsChain>();
  for (const { heard, row } of answers) {
    const [leaf] = heard.certificates;
    if (!leaf || !heard.isComplete) continue;
    const key = Buffer.from(leaf).toString('base64');
    const known = seen.get(key);
    // TLS 1.2 has no signature that is checked here: one of TLS 1.3 says more.
    if (known && (known.isSignatureValid !== null || heard.signature?.isValid == null)) continue;
    seen.set(key, {
      ...readChain(heard.certificates),
      messageBytes: heard.certificateBytes,
      scheme: heard.signature ? schemeName(heard.signature.scheme) : null,
      isSignatureValid: heard.signature?.isValid ?? null,
      by: row.id,
    });
  }
  return [...seen.values()];
}

function readChain(octets: readonly Uint8Array[]): Pick<TlsChain, 'certificates' | 'unreadable'> {
  const certificates: TlsCertificateFacts[] = [];
  const unreadable: string[] = [];
  for (const one of octets) {
    try {
      certificates.push(certificateFacts(one));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      unreadable.push(error.message);
    }
  }
  return { certificates, unreadable };
}

function certificateFacts(octets: Uint8Array): TlsCertificateFacts {
  const facts = readCertificate(octets);
  return {
    subject: printable(facts.subject),
    issuer: printable(facts.issuer),
    names: facts.names.map((name) => printable(name, 253)),
    notBefore: new Date(facts.notBeforeMs).toISOString(),
    notAfter: new Date(facts.notAfterMs).toISOString(),
    key: facts.key.name,
    keyBits: facts.key.bits,
    keyResistance: facts.key.resistance,
    signature: facts.signature.name,
    signatureResistance: facts.signature.resistance,
    isSelfIssued: facts.isSelfIssued,
    isAuthority: facts.isAuthority,
    bytes: facts.bytes,
    sha256: facts.sha256,
    keySha256: facts.keySha256,
  };
}

const endpointFacts = ({ host, port, starttls }: TlsEndpoint) => ({
  endpoint: isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`,
  starttls,
});

async function resolve(
  { host, port }: TlsEndpoint,
  family: 4 | 6 | undefined,
  io: Io,
): Promise<TcpTarget | { row: (at: string) => TlsProbeRow }> {
  const literal = isIP(host);
  if (literal !== 0) return { address: host, family: literal as 4 | 6, port };
  let errno = 'ENODATA';
  try {
    const [first] = await io.dns.lookup(host, family);
    if (first) return { ...first, port };
  } catch (error) {
    errno = error instanceof ConnectError ? error.errno : ((error as { code?: string }).code ?? 'EUNKNOWN');
  }
  return {
    row: (at) => ({
      id: 'control',
      about: 'name resolution',
      at,
      sentBytes: 0,
      pieces: [],
      segments: null,
      receivedBytes: 0,
      durationMs: null,
      connectRttMs: null,
      reply: {
        kind: 'unreached',
        outcome: { kind: 'failed', phase: 'dns', operation: 'resolve', errno, address: host, message: errno },
      },
    }),
  };
}
