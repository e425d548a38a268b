import type { TlsSurvey } from '../../model/secure/tls-survey.ts';
import type { TlsCost, TlsVerdict } from '../../model/secure/tls.ts';
import { isPostQuantumName, probe, saidIn } from './probes.ts';

/** What TCP may send before the first acknowledgement (RFC 6928), segments. */
const initialWindow = 10;
/** Where the path says nothing: Ethernet without options. */
const usualMssBytes = 1460;
/** FIPS 204, tables 1 and 2: ML-DSA-65. */
const mlDsa65 = { keyBytes: 1952, signatureBytes: 3309 };
/** ML-KEM-768 in the share of a client and in that of a server (FIPS 203, table 3). */
const mlKem768 = { clientBytes: 1184, serverBytes: 1088 };

/** What switching post-quantum on costs at this endpoint: measured where both were seen, computed from the standards elsewhere. */
export function costsOf(survey: TlsSurvey, verdict: TlsVerdict): TlsCost[] {
  const control = probe(survey, 'control');
  const browser = probe(survey, 'browser');
  if (!control || !browser || control.reply.kind !== 'complete') return [];
  const mss = survey.mssBytes ?? usualMssBytes;
  const isPq = browser.reply.kind === 'complete' && isPostQuantumName(survey, saidIn(browser.reply)?.group ?? null);
  const flight = isPq ? browser.receivedBytes : control.receivedBytes + mlKem768.serverBytes;
  return [
    cost('ClientHello', control.sentBytes, browser.sentBytes, 'octets', 'measured'),
    ...segmentCosts(control.sentBytes, browser.sentBytes, mss),
    cost('first flight of the server', control.receivedBytes, flight, 'octets', isPq ? 'measured' : 'computed'),
    cost(
      'extra round trips for clients with the right share',
      0,
      isPq ? verdict.extraRoundTrips : 0,
      'round trips',
      isPq ? 'measured' : 'computed',
    ),
    ...(isPq
      ? [cost('handshake up to the server’s Finished', control.durationMs, browser.durationMs, 'ms', 'measured')]
      : []),
    ...certificateCosts(survey, flight, mss),
  ];
}

/** By the MSS of the path, and by the usual one where the path has a larger: loopback and jumbo frames hide the second packet. */
const segmentCosts = (nowBytes: number, withBytes: number, mss: number): TlsCost[] =>
  [...new Set([mss, Math.min(mss, usualMssBytes)])].map((one) =>
    cost(
      `segments of the ClientHello (MSS ${one})`,
      Math.ceil(nowBytes / one),
      Math.ceil(withBytes / one),
      'segments',
      'computed',
    ),
  );

/** The same chain with ML-DSA-65 in place of its keys and signatures, and whether it still fits what is sent without waiting. */
function certificateCosts(survey: TlsSurvey, flightBytes: number, mss: number): TlsCost[] {
  const [chain] = survey.chains;
  if (!chain || chain.certificates.length === 0) return [];
  if (chain.certificates.some(({ keyResistance }) => keyResistance !== 'classical')) return [];
  const each = mlDsa65.keyBytes + mlDsa65.signatureBytes;
  const larger = chain.messageBytes + chain.certificates.length * each;
  const flight = flightBytes + chain.certificates.length * each + mlDsa65.signatureBytes;
  const waits = (bytes: number) => (bytes > initialWindow * mss ? 1 : 0);
  return [
    cost('certificate chain with ML-DSA-65 (private PKI)', chain.messageBytes, larger, 'octets', 'computed'),
    cost(
      `round trips it waits for (initial window ${initialWindow} × MSS)`,
      waits(flightBytes),
      waits(flight),
      'round trips',
      'computed',
    ),
  ];
}

const cost = (about: string, now: number | null, value: number | null, unit: string, how: TlsCost['how']): TlsCost => ({
  about,
  now: now === null ? null : round(now),
  with: value === null ? null : round(value),
  unit,
  how,
});
const round = (value: number): number => Math.round(value * 10) / 10;
