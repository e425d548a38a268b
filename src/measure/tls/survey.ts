import { isIP } from 'node:net';
import { printable } from '../../model/outcome.ts';
import type {
  Support,
  TlsCertificateFacts,
  TlsChain,
  TlsLocation,
  TlsProbeRow,
  TlsReply,
  TlsSurvey,
} from '../../model/secure/tls-survey.ts';
import { isLoopback } from '../../stats/address.ts';
import { DerError } from '../../wire/der.ts';
import type { Io } from '../../wire/io.ts';
import { ConnectError, formatTarget, type TcpTarget, type TcpTransport } from '../../wire/tcp/connection.ts';
import { readCertificate } from '../../wire/tls/certificate.ts';
import { alert, schemeName, schemes, suites12, version, versionName } from '../../wire/tls/code-points.ts';
import { groups } from '../../wire/tls/groups.ts';
import { canShare } from '../../wire/tls/key-share.ts';
import { type Answer, Asker, orTls12, type Question } from './asker.ts';
import type { Cut } from './converse.ts';
import { type GroupSurvey, saysNone, surveyGroups } from './group-survey.ts';
import { locateFailure } from './locate.ts';
import type { StartTls } from './starttls.ts';
import { withPort } from '../../stats/address.ts';

export interface TlsEndpoint {
  host: string;
  port: number;
  starttls: StartTls | null;
  /** For SNI; null where the host is an address and no name is given. */
  serverName: string | null;
}

export interface SurveyOptions {
  timeoutMs: number;
  /** Connections per second, at most; left out: `gentle`, and `own` on the own host. */
  rate?: number | undefined;
  /** Connections at the same time, at most; left out as `rate`. */
  atOnce?: number | undefined;
  alpn: readonly string[];
  /** Pause between the two pieces of a ClientHello that is split. */
  gapMs: number;
  /** Whether to look for the hop where a ClientHello dies, which takes as many connections again. */
  locate?: boolean | undefined;
  family?: 4 | 6 | undefined;
  onAnswer?: ((row: TlsProbeRow) => void) | undefined;
}

/** What an endpoint is asked at most where nobody says more: somebody else's server, and one of the own host. */
const gentle = { rate: 20, atOnce: 1 };
const own = { rate: 1000, atOnce: 8 };

const [X25519MLKEM768, X25519, P256, P384] = [0x11_ec, 0x00_1d, 0x00_17, 0x00_18] as const;
const browserGroups = [X25519MLKEM768, X25519, P256, P384];
const classicalGroups = [X25519, P256, P384, 0x00_19, 0x00_1e];
const shareable = groups.map(({ id }) => id).filter(canShare);

/**
 * Everything that can be learnt about the TLS of one endpoint without a key of its own: some 25 connections
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
  const base = { ...endpointFacts(endpoint), serverName, startedAt, asksClientCertificate: null, location: null };
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
  const usual = isLoopback(resolved.address) ? own : gentle;
  const asker = new Asker(
    {
      way: { target: resolved, starttls: endpoint.starttls, timeoutMs: options.timeoutMs },
      serverName,
      alpn: options.alpn,
      intervalMs: 1000 / (options.rate ?? usual.rate),
      atOnce: options.atOnce ?? usual.atOnce,
      onAnswer: options.onAnswer,
    },
    transport,
    io,
    signal,
  );
  const learnt = await learn(asker, options.gapMs);
  const location =
    learnt && options.locate ? await whereItDies(asker, endpoint, { target: resolved, options, io, signal }) : null;
  return {
    ...base,
    address: formatTarget(resolved),
    ...(learnt ?? copy(empty)),
    mssBytes: asker.mssBytes,
    probes: inPlanOrder(asker.rows),
    chains: chainsOf(asker.answers),
    asksClientCertificate: asksClient(asker.answers),
    location,
    durationMs: io.clock.monoMs() - beganMs,
    interrupted: signal.aborted,
  };
}

/** What is followed when several fail, the most telling first. None needs a ServerHello before it. */
const followed = [
  'browser',
  'split-large-1200',
  'split-large-half',
  'split-large-200',
  'split-large-1',
  'split-small',
  'groups-all',
  'unknown-share',
  'tls12-offer',
];

/** Follows a ClientHello that does not arrive. An alert is an answer: nothing died on the way to it. */
async function whereItDies(
  asker: Asker,
  { starttls }: TlsEndpoint,
  { target, options, io, signal }: { target: TcpTarget; options: SurveyOptions; io: Io; signal: AbortSignal },
): Promise<TlsLocation | null> {
  const replyTo = (id: string) => asker.answers.find(({ row }) => row.id === id)?.reply;
  const dies = (id: string) => {
    const reply = replyTo(id);
    return reply !== undefined && isSilent(reply) && 'after' in reply && reply.after === 'nothing';
  };
  const form = followed.find(dies);
  if (form === undefined || replyTo('control')?.kind !== 'complete' || signal.aborted) return null;
  const [failing, passing] = [asker.octetsOf(form), Buffer.concat(asker.octetsOf('control'))];
  const written = { id: form, failing, passing };
  const { mssBytes } = asker;
  const where = { target, starttls, mssBytes, timeoutMs: options.timeoutMs, pace: () => asker.pace() };
  return locateFailure(written, where, io, signal);
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
  const seen = [control, browser];
  const tls13 = await surveyVersion(asker, version.tls13, seen);
  let versions = [tls13];
  let found: GroupSurvey | undefined;
  let signatures: TlsSurvey['signatures'] = [];
  await asker.all([
    async () => {
      const older = [version.tls12, version.tls11, version.tls10];
      versions = [tls13, ...(await asker.all(older.map((one) => () => surveyVersion(asker, one, seen))))];
    },
    async () => void (found = await surveyGroups(asker, tls13.support)),
    () => askTraps(asker, tls13.support),
    async () => void (signatures = await surveySignatures(asker, tls13.support)),
  ]);
  // By themselves: a server that is busy may read both pieces at once, and then a fault does not show.
  await askSplits(asker, browser.row.sentBytes, gapMs);
  return { versions, ...found!, signatures };
}

/** Ids, or how they begin, in the order of the plan: what ran side by side came in any order. */
const planOrder = [
  'control',
  'browser',
  'version-1.3',
  'version-1.2',
  'version-1.1',
  'version-1.0',
  'group',
  'split-large-1',
  'split-large-200',
  'split-large-half',
  'split-large-1200',
  'split-small',
  'advertised',
  'retry',
  'suite',
  'unknown-share',
  'tls12-offer',
  'signature-ml-dsa',
  'signature-ecdsa',
  'signature-rsa',
];
const placeInPlan = ({ id }: TlsProbeRow): number =>
  planOrder.findIndex((one) => one === id || (!planOrder.includes(id) && id.startsWith(one)));
const inPlanOrder = (rows: readonly TlsProbeRow[]): TlsProbeRow[] =>
  rows.toSorted((a, b) => placeInPlan(a) - placeInPlan(b));

const isSilent = ({ kind }: TlsReply): boolean => kind === 'timedOut' || kind === 'reset' || kind === 'closed';

const bigHello = (id: string, about: string, cut: Cut | null): Question => ({
  id,
  about,
  offer: { ...orTls12, groups: browserGroups, shares: [X25519MLKEM768, X25519] },
  depth: cut ? 'answer' : 'end',
  cut,
});

/** The large ClientHello in two pieces at several places, and a small one: who cannot read that fails by itself (tldr.fail). */
async function askSplits(asker: Asker, sentBytes: number, gapMs: number): Promise<void> {
  const half = Math.floor(sentBytes / 2);
  const cuts = [
    ['1', 1],
    ['200', 200],
    ['half', half],
    ['1200', 1200],
  ] as const;
  const about = (at: number) =>
    `the ClientHello of browsers in two writes, cut behind octet ${at}, ${gapMs} ms between`;
  const small: Question = {
    id: 'split-small',
    about: `the small ClientHello in two writes, cut behind octet 100, ${gapMs} ms between`,
    offer: { ...orTls12, groups: classicalGroups, shares: [X25519] },
    depth: 'answer',
    cut: { at: 100, gapMs },
  };
  const large = cuts.map(([where, at]) => bigHello(`split-large-${where}`, about(at), { at, gapMs }));
  await asker.all([...large, small].map((one) => () => asker.ask(one)));
}

/** Questions that a correct server answers and some do not. */
async function askTraps(asker: Asker, hasTls13: Support): Promise<void> {
  const ofTls13 = hasTls13 === 'no' ? [] : [() => askRetry(asker), () => asker.ask(aes256)];
  await asker.all<unknown>([...ofTls13, () => asker.ask(unknownShare), () => asker.ask(tls12Offer)]);
}

/** How clients without the right share fare. A server that is content with what it has is asked without any. */
async function askRetry(asker: Asker): Promise<void> {
  const { heard } = await asker.ask({
    id: 'advertised',
    about: 'post-quantum groups offered, share for x25519 only: does the server ask for a retry?',
    offer: { ...orTls12, groups: [X25519MLKEM768, X25519, P256, P384], shares: [X25519] },
    depth: 'end',
  });
  if (heard.retry) return;
  await asker.ask({
    id: 'retry',
    about: 'no key share, then the second ClientHello that the server asks for',
    offer: { groups: shareable },
    depth: 'end',
  });
}

const aes256: Question = {
  id: 'suite-aes-256',
  about: 'AES-256 with SHA-384 alone',
  offer: { groups: shareable, shares: [X25519], suites: [0x13_02] },
  depth: 'answer',
};
const unknownShare: Question = {
  id: 'unknown-share',
  about: 'GREASE and the share of a group that nobody knows, before x25519',
  offer: { ...orTls12, groups: classicalGroups, shares: [X25519], unknownFirst: true },
  depth: 'hello',
};
const tls12Offer: Question = {
  id: 'tls12-offer',
  about: 'TLS 1.2 alone, with X25519MLKEM768 among its groups: the server must not take it',
  offer: { versions: [version.tls12], suites: suites12, groups: browserGroups },
  depth: 'end',
};

/** A version alone, where it has not been seen yet. */
async function surveyVersion(
  asker: Asker,
  one: number,
  seen: readonly Answer[],
): Promise<TlsSurvey['versions'][number]> {
  const name = versionName(one);
  const known = seen.find(({ heard }) => heard.hello?.version === one);
  if (known) return { version: name, support: 'yes', by: known.row.id };
  const id = `version-${name.slice(4)}`;
  const offer =
    one === version.tls13
      ? { groups: shareable, shares: [X25519] }
      : { versions: [one], suites: suites12, groups: classicalGroups };
  const { heard, reply } = await asker.ask({ id, about: `${name} alone`, offer, depth: 'hello' });
  if ((heard.hello ?? heard.retry)?.version === one) return { version: name, support: 'yes', by: id };
  return { version: name, support: (await refusesVersion(asker, id, name, offer, reply)) ? 'no' : 'unknown', by: id };
}

/** OpenSSL 3 says "internal error" to versions whose signatures its security level forbids. Only when it does so twice is that a no. */
async function refusesVersion(
  asker: Asker,
  id: string,
  name: string,
  offer: Question['offer'],
  reply: TlsReply,
): Promise<boolean> {
  if (saysNone(reply)) return true;
  const isInternal = (one: TlsReply) =>
    one.kind === 'alert' && one.after === 'nothing' && one.code === alert.internalError;
  if (!isInternal(reply)) return false;
  const again = await asker.ask({ id: `${id}-again`, about: `${name} alone, once more`, offer, depth: 'hello' });
  return isInternal(again.reply) || saysNone(again.reply);
}

const families = [
  ['ML-DSA', schemes.mlDsa],
  ['ECDSA', schemes.ecdsa],
  ['RSA', schemes.rsa],
] as const;

/** A whole handshake for each family of signatures: a ServerHello alone does not show that the server can sign. */
async function surveySignatures(asker: Asker, hasTls13: Support): Promise<TlsSurvey['signatures']> {
  if (hasTls13 === 'no') return [];
  return asker.all(
    families.map(
      ([family, list]) =>
        () =>
          surveySignature(asker, family, list),
    ),
  );
}

async function surveySignature(
  asker: Asker,
  family: string,
  list: readonly number[],
): Promise<TlsSurvey['signatures'][number]> {
  const id = `signature-${family.toLowerCase()}`;
  const { reply, heard } = await asker.ask({
    id,
    about: `${family} signatures alone, whole handshake`,
    offer: { groups: shareable, shares: [X25519], schemes: list },
    depth: 'end',
  });
  const { signature } = heard;
  const fits = signature !== null && list.includes(signature.scheme);
  const support: Support = reply.kind === 'complete' && fits ? 'yes' : saysNone(reply) ? 'no' : 'unknown';
  return { family, support, scheme: signature && fits ? schemeName(signature.scheme) : null, by: id };
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
  endpoint: withPort(host, port),
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
