import type { EncryptionLayer } from '../../model/network-security.ts';
import type { Verdict } from '../../model/finding.ts';

/** One question about one layer, answered; `rank` orders answers so that the best layer of a hop speaks for it. */
export interface Answer {
  verdict: Verdict;
  evidence: string;
  at: string | null;
}

const maxAgeDays = 365;
const authenticated = ['aes-gcm', 'aes-ccm', 'chacha20-poly1305'];

const kindWords: Record<EncryptionLayer['kind'], string> = {
  otnsec: 'OTNsec',
  macsec: 'MACsec',
  ipsec: 'IPsec',
  wireguard: 'WireGuard',
  tls: 'TLS',
  ssh: 'SSH',
  qkd: 'QKD',
  none: 'none',
};

export function layerWords({ kind, cipher, keyBits, keyAgreement }: EncryptionLayer): string {
  const parts = [
    cipher,
    keyBits === undefined ? undefined : `${keyBits} bit`,
    keyAgreement && `keys by ${keyAgreement}`,
  ];
  const rest = parts.filter((part) => part !== undefined).join(', ');
  return `${kindWords[kind]}${rest === '' ? '' : ` (${rest})`}`;
}

/** QKD supplies keys and encrypts nothing; "none" says that nothing does. */
export function isEncrypting({ kind }: EncryptionLayer): boolean {
  return kind !== 'qkd' && kind !== 'none';
}

/** Whether somebody looked, and not too long ago: what is only declared passes nothing. */
function backed(layer: EncryptionLayer, today: string): Answer | null {
  const at = layer.checked ?? null;
  if (layer.evidence === undefined)
    return { verdict: 'unknown', evidence: `${layerWords(layer)} is declared, without evidence`, at };
  if (at === null) return { verdict: 'unknown', evidence: `${layer.evidence}, without the day of it`, at };
  const days = Math.floor((Date.parse(today) - Date.parse(at)) / 86_400_000);
  if (days > maxAgeDays)
    return { verdict: 'unknown', evidence: `${layer.evidence}, ${days} days ago: older than ${maxAgeDays}`, at };
  return days < 0 ? { verdict: 'unknown', evidence: `${layer.evidence}, on a day that is still to come`, at } : null;
}

const said = ({ evidence, checked }: EncryptionLayer, verdict: Verdict, words: string): Answer => ({
  verdict,
  evidence: `${words}: ${evidence ?? 'declared'}`,
  at: checked ?? null,
});

/** Is the whole hop encrypted by it? */
export function encrypts(layer: EncryptionLayer, today: string): Answer {
  if (layer.covers === 'partOfHop') return said(layer, 'fail', `${layerWords(layer)} covers only a part of the hop`);
  return backed(layer, today) ?? said(layer, 'pass', layerWords(layer));
}

/** Does its cipher keep secrets and notice changes? A weak one fails without any evidence: nobody declares that by mistake. */
export function ciphers(layer: EncryptionLayer, today: string): Answer {
  const { kind, cipher, keyBits } = layer;
  // WireGuard has one cipher (ChaCha20-Poly1305), with 256 bit.
  const fixed = kind === 'wireguard';
  if (!fixed && cipher === undefined)
    return { verdict: 'unknown', evidence: `${layerWords(layer)}: its cipher is not said`, at: layer.checked ?? null };
  if (!fixed && !authenticated.includes(cipher!))
    return said(layer, 'fail', `${cipher} is not an authenticated cipher of today`);
  if (!fixed && keyBits !== undefined && keyBits < 128) return said(layer, 'fail', `${keyBits} bit are fewer than 128`);
  if (!fixed && keyBits === undefined && cipher !== 'chacha20-poly1305')
    return {
      verdict: 'unknown',
      evidence: `${layerWords(layer)}: the bits of its key are not said`,
      at: layer.checked ?? null,
    };
  return backed(layer, today) ?? said(layer, 'pass', layerWords(layer));
}

/**
 * Would a quantum computer find its keys out of a recording? Preshared keys and ML-KEM withstand it; QKD adds to a preshared key
 * and earns nothing by itself (NSA, NCSC and ANSSI advise against relying on it: distance, trusted nodes, no authentication of its own).
 */
export function withstands(layer: EncryptionLayer, today: string): Answer {
  const { keyAgreement, kind } = layer;
  switch (keyAgreement) {
    case undefined:
      return {
        verdict: 'unknown',
        evidence: `${layerWords(layer)}: where its keys come from is not said`,
        at: layer.checked ?? null,
      };
    case 'ecdh':
    case 'dh':
    case 'rsa':
    case 'eap-tls':
      return said(
        layer,
        'fail',
        `keys of ${kindWords[kind]} come from ${keyAgreement}, which a quantum computer breaks`,
      );
    case 'qkd':
      return said(layer, 'fail', 'QKD alone earns nothing; a preshared key or ML-KEM beside it would');
    case 'psk':
    case 'psk+ecdh':
    case 'qkd+psk':
      return layer.keyBits !== undefined && layer.keyBits < 256 && kind === 'macsec'
        ? said(layer, 'fail', `a preshared key for ${layer.keyBits} bit; 256 are wanted against a quantum computer`)
        : (backed(layer, today) ?? said(layer, 'pass', layerWords(layer)));
    case 'ml-kem':
    case 'ml-kem+ecdh':
      return backed(layer, today) ?? said(layer, 'pass', layerWords(layer));
  }
}
