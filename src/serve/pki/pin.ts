import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { pinOf } from './authority.ts';

const patienceMs = 10_000;

/**
 * Asks a server for its authority, and takes it only if its key is the pinned one. Nothing secret is sent on this connection: the
 * caller makes a new one that trusts this authority alone, by which names and signatures are then checked as ever.
 * @param pin `sha256:<hex>` as the operator got it
 * @returns PEM of the authority
 * @throws when the server cannot be reached or shows no such authority
 */
export function fetchAuthority(host: string, port: number, pin: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', servername: nameOf(host) });
    socket.setTimeout(patienceMs, () =>
      socket.destroy(
        new Error(`Cannot ask ${host}:${port} for its authority: no answer within ${patienceMs / 1000} s`),
      ),
    );
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const pinned = chainOf(socket.getPeerCertificate(true)).find((c) => pinOf(c) === pin);
      socket.destroy();
      if (pinned) done(pinned.toString());
      else
        fail(
          new Error(
            `Cannot trust ${host}:${port}: its authority is not the one with the pin ${pin}; is this the right server?`,
          ),
        );
    });
  });
}

/** Server Name Indication takes no addresses (RFC 6066 §3). */
function nameOf(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

function chainOf(leaf: unknown): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at = leaf as { raw?: Buffer; issuerCertificate?: unknown } | undefined;
  // A self-signed certificate is its own issuer here.
  while (at?.raw && chain.length < 4 && !chain.some((c) => c.raw.equals(at?.raw as Buffer))) {
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate as typeof at;
  }
  return chain;
}
