import { extensionType, version } from './code-points.ts';
import { Octets, TlsError } from './octets.ts';

/** RFC 8446 §4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
export const retryRandom = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
/** RFC 8446 §4.1.3: how a server that could do more says that it was not offered more. */
const sentinels = new Map([
  ['444f574e47524401', 'could do TLS 1.3'],
  ['444f574e47524400', 'could do TLS 1.2 or more'],
]);

export interface ServerHello {
  isRetry: boolean;
  /** The version that is spoken: supported_versions where it is there. */
  version: number;
  suite: number;
  /** Of the share, or the one that a HelloRetryRequest asks for; null where there is none (TLS 1.2). */
  group: number | null;
  share: Uint8Array | null;
  cookie: Uint8Array | null;
  sessionId: Uint8Array;
  alpn: string | null;
  /** Set in the random by a server that could speak a higher version. */
  downgrade: string | null;
}

/** RFC 8446 §4.1.3 and RFC 5246 §7.4.1.3. @throws TlsError */
export function readServerHello(body: Uint8Array): ServerHello {
  const from = new Octets(body);
  const legacyVersion = from.u16();
  const random = Buffer.from(from.take(32));
  const sessionId = from.vector8().rest();
  if (sessionId.length > 32) throw new TlsError(`a session id of ${sessionId.length} octets`);
  const suite = from.u16();
  if (from.u8() !== 0) throw new TlsError('a compression method was chosen');
  const extensions = from.left > 0 ? readExtensions(from.vector16()) : new Map<number, Octets>();
  from.end('ServerHello');
  const isRetry = random.equals(retryRandom);
  return {
    isRetry,
    version: extensions.get(extensionType.supportedVersions)?.u16() ?? legacyVersion,
    suite,
    ...keyShare(extensions.get(extensionType.keyShare), isRetry),
    cookie: extensions.get(extensionType.cookie)?.vector16().rest() ?? null,
    sessionId,
    alpn: alpnOf(extensions),
    downgrade: sentinels.get(random.subarray(24).toString('hex')) ?? null,
  };
}

function keyShare(from: Octets | undefined, isRetry: boolean): Pick<ServerHello, 'group' | 'share'> {
  if (!from) return { group: null, share: null };
  const group = from.u16();
  const share = isRetry ? null : from.vector16().rest();
  from.end('key_share');
  return { group, share };
}

/** Each extension once (RFC 8446 §4.2). */
function readExtensions(from: Octets): Map<number, Octets> {
  const found = new Map<number, Octets>();
  while (from.left > 0) {
    const type = from.u16();
    if (found.has(type)) throw new TlsError(`extension ${type} twice`);
    found.set(type, from.vector16());
  }
  return found;
}

function alpnOf(extensions: ReadonlyMap<number, Octets>): string | null {
  const list = extensions.get(extensionType.alpn)?.vector16();
  return list ? Buffer.from(list.vector8().rest()).toString('latin1') : null;
}

/** The ALPN name in EncryptedExtensions (RFC 8446 §4.3.1), if any. @throws TlsError */
export function readEncryptedExtensions(body: Uint8Array): { alpn: string | null } {
  const from = new Octets(body);
  const extensions = readExtensions(from.vector16());
  from.end('EncryptedExtensions');
  return { alpn: alpnOf(extensions) };
}

/** Longest chain that is read. */
const maxCertificates = 32;

/** The certificates of a Certificate message, leaf first (RFC 8446 §4.4.2, RFC 5246 §7.4.2). @throws TlsError */
export function readCertificates(body: Uint8Array, spoken: number): Uint8Array[] {
  const from = new Octets(body);
  const is13 = spoken >= version.tls13;
  if (is13 && from.vector8().left > 0) throw new TlsError('a certificate_request_context from a server');
  const list = from.vector24();
  from.end('Certificate');
  const certificates: Uint8Array[] = [];
  while (list.left > 0) {
    if (certificates.length === maxCertificates) throw new TlsError(`more than ${maxCertificates} certificates`);
    certificates.push(list.vector24().rest());
    if (is13) readExtensions(list.vector16());
  }
  return certificates;
}

/** RFC 8446 §4.4.3. @throws TlsError */
export function readCertificateVerify(body: Uint8Array): { scheme: number; signature: Uint8Array } {
  const from = new Octets(body);
  const scheme = from.u16();
  const signature = from.vector16().rest();
  from.end('CertificateVerify');
  return { scheme, signature };
}

/** How a client may sign that is asked for a certificate (RFC 8446 §4.3.2). @throws TlsError */
export function readCertificateRequest(body: Uint8Array): { schemes: number[] } {
  const from = new Octets(body);
  from.vector8();
  const list = readExtensions(from.vector16()).get(extensionType.signatureAlgorithms)?.vector16();
  from.end('CertificateRequest');
  const schemes: number[] = [];
  if (list) while (list.left > 0) schemes.push(list.u16());
  return { schemes };
}

/** Named curve and scheme of an ECDHE ServerKeyExchange (RFC 8422 §5.4); nulls for finite-field groups of the server's own. */
export function readServerKeyExchange(
  body: Uint8Array,
  spoken: number,
): { group: number | null; scheme: number | null } {
  const from = new Octets(body);
  const namedCurve = 3;
  if (from.u8() !== namedCurve) return { group: null, scheme: null };
  const group = from.u16();
  from.vector8();
  const scheme = spoken >= version.tls12 ? from.u16() : null;
  from.vector16();
  from.end('ServerKeyExchange');
  return { group, scheme };
}

export interface Alert {
  fatal: boolean;
  code: number;
}

/** RFC 8446 §6. @throws TlsError */
export function readAlert(fragment: Uint8Array): Alert {
  const from = new Octets(fragment);
  const level = from.u8();
  return { fatal: level === 2, code: from.u8() };
}
