import type { TlsLocation, TlsProbeRow, TlsSurvey } from '../../model/secure/tls-survey.ts';
import type { PathCheck, PathDiagnosis } from '../../model/secure/tls.ts';
import { isPostQuantumName, probe, replyText, saidIn } from './probes.ts';

type CheckId = PathCheck['id'];

const asked: readonly { id: CheckId; probes: readonly string[]; about: string }[] = [
  { id: 'small', probes: ['control'], about: 'small ClientHello, one write' },
  { id: 'small-split', probes: ['split-small'], about: 'small ClientHello, two writes' },
  { id: 'large', probes: ['browser'], about: 'large ClientHello (post-quantum share), one write' },
  { id: 'large-split-1', probes: ['split-large-1'], about: 'large, cut behind octet 1' },
  { id: 'large-split-200', probes: ['split-large-200'], about: 'large, cut behind octet 200' },
  { id: 'large-split-half', probes: ['split-large-half'], about: 'large, cut in the middle' },
  { id: 'large-split-1200', probes: ['split-large-1200'], about: 'large, cut behind octet 1200' },
  { id: 'retry', probes: ['retry', 'advertised'], about: 'second ClientHello behind a HelloRetryRequest' },
  { id: 'unknown-share', probes: ['unknown-share'], about: 'GREASE and the share of an unknown group' },
  { id: 'pq-code-points', probes: ['groups-all'], about: 'post-quantum groups named, no share' },
  { id: 'tls12-offer', probes: ['tls12-offer'], about: 'TLS 1.2 with a post-quantum group named' },
];

/** What survives on the way and at the server, of what post-quantum clients send (the table of tldr.fail, and more). */
export function pathChecks(survey: TlsSurvey): PathCheck[] {
  return asked.map(({ id, probes, about }) => {
    const row = probes.map((one) => probe(survey, one)).find((one) => one !== undefined);
    if (!row) return { id, about, result: 'not-asked', how: 'not asked', by: null };
    return { id, about, ...resultOf(id, row, survey), by: row.id };
  });
}

function resultOf(id: CheckId, row: TlsProbeRow, survey: TlsSurvey): Pick<PathCheck, 'result' | 'how'> {
  const { reply } = row;
  const how = replyText(reply);
  switch (reply.kind) {
    case 'unreached':
    case 'interrupted':
      return { result: 'unknown', how };
    case 'alert':
      return { result: isExpectedAlert(id, row, survey) ? 'ok' : 'fails', how };
    case 'reset':
    case 'closed':
    case 'timedOut':
    case 'malformed':
      return { result: 'fails', how };
    case 'complete':
    case 'hello':
    case 'retry': {
      // A TLS 1.2 server that takes a group which is defined for TLS 1.3 only.
      const tookIt = id === 'tls12-offer' && isPostQuantumName(survey, saidIn(reply)?.group ?? null);
      if (tookIt) return { result: 'fails', how: `took ${saidIn(reply)?.group} in TLS 1.2` };
      const noRetry = id === 'retry' && !reply.said.viaRetry;
      return noRetry ? { result: 'unknown', how: 'the server asked for no retry' } : { result: 'ok', how };
    }
  }
}

/** An alert is an answer as good as any where the same offer in another form is refused as well: then form is not the reason. */
function isExpectedAlert(id: CheckId, { reply }: TlsProbeRow, survey: TlsSurvey): boolean {
  if (reply.kind !== 'alert' || reply.after !== 'nothing') return false;
  const noTls13 = survey.versions.find(({ version }) => version === 'TLS 1.3')?.support === 'no';
  const noTls12 = survey.versions.find(({ version }) => version === 'TLS 1.2')?.support === 'no';
  if (id === 'tls12-offer') return noTls12;
  if (id === 'pq-code-points' || id === 'retry') return noTls13;
  const isLarge = id.startsWith('large');
  const hasNoGroup = survey.groups.every(
    ({ name, support }) => support === 'no' || !(isLarge ? browserNames : smallNames).includes(name),
  );
  return reply.name === 'handshake_failure' && hasNoGroup && survey.groups.length > 0;
}

const smallNames = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'x448'];
const browserNames = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'];

const splits = ['large-split-1', 'large-split-200', 'large-split-half', 'large-split-1200'] as const;

interface Cause {
  kind: PathDiagnosis['kind'];
  /** Fails for sure when this is the cause; a split counts as any of them. */
  needs: CheckId | 'a split';
  /** Everything that it explains. */
  explains: readonly CheckId[];
  text: string;
}

/** From the most general to the most special: the first that explains everything is taken. */
const causes: readonly Cause[] = [
  {
    kind: 'first-read-only',
    needs: 'small-split',
    explains: ['small-split', 'large', ...splits],
    text: 'Only what comes with the first read is looked at: a small ClientHello in two pieces fails as well. That is no fault of post-quantum, and shows for everybody as soon as a ClientHello takes two packets',
  },
  {
    kind: 'large-hello',
    needs: 'large',
    explains: ['large', ...splits],
    text: 'A large ClientHello fails in one piece and in two, a small one does not: its size is not borne',
  },
  {
    kind: 'large-reassembly',
    needs: 'a split',
    explains: splits,
    text: 'A large ClientHello passes in one write and fails in two: it is not put together from its packets. At an MTU of 1500 it always takes two',
  },
  {
    kind: 'pq-code-points',
    needs: 'pq-code-points',
    explains: ['pq-code-points', 'large', ...splits, 'retry', 'tls12-offer'],
    text: 'Naming post-quantum groups is enough to fail, without any share of them',
  },
  {
    kind: 'retry',
    needs: 'retry',
    explains: ['retry'],
    text: 'The second ClientHello behind a HelloRetryRequest is not borne: clients without the right share fail',
  },
  {
    kind: 'unknown-share',
    needs: 'unknown-share',
    explains: ['unknown-share'],
    text: 'A share of an unknown group is not ignored, as RFC 8446 §4.2.8 demands: clients with newer groups fail',
  },
  {
    kind: 'tls12-offer',
    needs: 'tls12-offer',
    explains: ['tls12-offer'],
    text: 'In TLS 1.2 a post-quantum group is not ignored: clients that offer both fail',
  },
];

/** One cause that explains all failures, or `mixed`. */
export function diagnose(checks: readonly PathCheck[], location: TlsLocation | null = null): PathDiagnosis {
  const failing = checks.filter(({ result }) => result === 'fails').map(({ id }) => id);
  const small = checks.find(({ id }) => id === 'small')?.result;
  if (small !== 'ok')
    return {
      kind: 'unknown',
      text: 'There is no handshake that works, to hold the others against',
      place: 'not known',
    };
  if (failing.length === 0) return clean(checks);
  const place = placeOf(checks, location);
  const cause = causes.find(
    ({ needs, explains }) =>
      failing.every((id) => explains.includes(id)) &&
      failing.some((id) => id === needs || (needs === 'a split' && id.startsWith('large-split'))),
  );
  if (cause) return { kind: cause.kind, text: cause.text, place };
  return { kind: 'mixed', text: `Several things fail: ${failing.join(', ')}`, place };
}

function clean(checks: readonly PathCheck[]): PathDiagnosis {
  const open = checks.filter(({ result }) => result === 'unknown');
  const rest = open.length > 0 ? `; not known: ${open.map(({ id }) => id).join(', ')}` : '';
  return {
    kind: 'clean',
    text: `Everything that post-quantum clients send is borne${rest}`,
    place: 'from here to the server',
  };
}

/** Resets and silence may come from anywhere on the way; an alert comes from whoever speaks TLS. */
function placeOf(checks: readonly PathCheck[], location: TlsLocation | null): string {
  const failing = checks.filter(({ result }) => result === 'fails');
  if (failing.every(({ how }) => how.startsWith('alert') || how.startsWith('took')))
    return 'whoever speaks TLS there: it answers with an alert';
  if (!location)
    return 'the server or something on the way; which hop is not localised: ask from a place nearer to the server';
  const { kind, why, confidence } = location;
  if (kind === 'unknown')
    return `the server or something on the way; which hop is not known: ${why}. Ask from a place nearer to the server`;
  const [after, before] = [
    hopText(location.afterTtl, location.afterAddress),
    hopText(location.beforeTtl, location.beforeAddress),
  ];
  const where =
    kind === 'at-the-server'
      ? `the server (${before}), or what stands between it and ${after}`
      : `${after}, ${before}, or what stands between them`;
  return `${where} (confidence ${confidence}): ${why}`;
}

const hopText = (ttl: number | null, address: string | null): string =>
  ttl === 0 ? 'this host' : `hop ${ttl}${address === null ? '' : ` (${address})`}`;
