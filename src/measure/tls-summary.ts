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
  const error: unknown = socket.authorizationError;
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    group,
    alpn: socket.alpnProtocol || null,
    resumed: socket.isSessionReused(),
    authorized: socket.authorized,
    authorizationError: error
      ? printable(error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error))
      : null,
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
  const common: unknown = name?.CN ?? name?.O;
  return printable(Array.isArray(common) ? common.join(', ') : String(common ?? 'unnamed'), 100);
}
