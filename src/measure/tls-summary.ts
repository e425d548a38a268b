import type { PeerCertificate, DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { printable } from '../model/outcome.ts';
import type { CertificateSummary, TlsSummary } from '../model/inference.ts';

const dayMs = 86_400_000;
const maxChain = 16;

/**
 * What a finished handshake agreed on. All text from the peer is made printable.
 * @param nowMs wall clock, ms since the epoch
 */
export function summariseTls(socket: TLSSocket, nowMs: number): TlsSummary {
  const key = socket.getEphemeralKeyInfo();
  const group = key && 'name' in key && typeof key.name === 'string' ? key.name : null;
  // Declared as Error, and at run time the code alone.
  const error = socket.authorizationError as NodeJS.ErrnoException | string | undefined;
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    group,
    alpn: socket.alpnProtocol || null,
    resumed: socket.isSessionReused(),
    authorized: socket.authorized,
    authorizationError: error ? printable(typeof error === 'string' ? error : (error.code ?? error.message)) : null,
    certificate: summariseCertificate(socket.getPeerCertificate(true), nowMs),
  };
}

function summariseCertificate(leaf: DetailedPeerCertificate, nowMs: number): CertificateSummary | null {
  // Node gives an empty object where the peer sent none.
  if (!leaf?.raw) return null;
  const { chainLength, chainBytes } = measureChain(leaf);
  return {
    subject: nameOf(leaf.subject),
    issuer: nameOf(leaf.issuer),
    validTo: new Date(leaf.valid_to).toISOString(),
    daysLeft: (Date.parse(leaf.valid_to) - nowMs) / dayMs,
    keyType: leaf.nistCurve ?? leaf.asn1Curve ?? (leaf.bits ? `RSA-${leaf.bits}` : 'unknown'),
    chainLength,
    chainBytes,
  };
}

function measureChain(leaf: DetailedPeerCertificate): { chainLength: number; chainBytes: number } {
  let certificate: DetailedPeerCertificate | undefined = leaf;
  let chainLength = 0;
  let chainBytes = 0;
  // A self-signed root is its own issuer; the bound is against anything stranger.
  while (certificate?.raw && chainLength < maxChain) {
    chainLength++;
    chainBytes += certificate.raw.length;
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return { chainLength, chainBytes };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  // An array when the certificate says it more than once, whatever the type says.
  const common: string | readonly string[] = name?.CN ?? name?.O ?? 'unnamed';
  return printable([common].flat().join(', '), 100);
}
