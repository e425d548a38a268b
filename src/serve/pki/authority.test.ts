import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { Authorities } from './authorities.ts';
import {
  agentLifeMs,
  issueAgentCertificate,
  issueServerCertificate,
  makeAuthority,
  rotated,
  signerOf,
  trustedOf,
} from './authority.ts';
import { CsrError, makeCsr, publicKeyOfCsr } from './csr.ts';

const now = Date.now();
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
const hasOpenssl = existsSync('/usr/bin/openssl');

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'inferpath-pki-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
/** What openssl prints, with its exit code as an error. */
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

describe.runIf(hasOpenssl)('openssl', () => {
  test('verifies what an authority issues, for its purpose, its name and its authority only', () => {
    const [own, other] = [makeAuthority(now), makeAuthority(now)];
    const ca = file('ca.pem', own.certificate);
    const foreign = file('other.pem', other.certificate);
    const agent = file('agent.pem', issueAgentCertificate(own, 'edge-1', spki, now).certificate);
    const names = ['server.example', '10.1.2.3', '2001:db8::7'];
    const server = file('server.pem', issueServerCertificate(own, names, now).certificate);
    const verify = (...args: string[]) => openssl('verify', '-x509_strict', '-CAfile', ca, ...args);
    expect(verify('-purpose', 'sslclient', agent)).toContain(': OK');
    expect(verify('-purpose', 'sslserver', '-verify_hostname', 'server.example', server)).toContain(': OK');
    for (const address of names.slice(1)) expect(verify('-verify_ip', address, server)).toContain(': OK');
    expect(() => verify('-purpose', 'sslserver', agent)).toThrow(/unsuitable|unsupported|purpose/i);
    expect(() => verify('-purpose', 'sslclient', server)).toThrow(/unsuitable|unsupported|purpose/i);
    expect(() => verify('-verify_hostname', 'evil.example', server)).toThrow(/mismatch/i);
    expect(() => openssl('verify', '-CAfile', foreign, agent)).toThrow(/unable to get local issuer/);
    const after = String(Math.round((now + agentLifeMs) / 1000) + 1);
    expect(() => verify('-attime', after, agent)).toThrow(/expired/);
    // An agent that signs certificates itself is no authority.
    const leaf = issueAgentCertificate(own, 'edge-1', spki, now).certificate;
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const forged = issueAgentCertificate({ ...own, certificate: leaf, key }, 'edge-2', spki, now).certificate;
    expect(() => verify('-untrusted', agent, file('forged.pem', forged))).toThrow(/invalid CA|not.*CA|path length/i);
  });

  test('prints an agent certificate with URI, purpose and 24 hours', () => {
    const issued = issueAgentCertificate(makeAuthority(now), 'edge-1', spki, now);
    const text = openssl('x509', '-noout', '-text', '-in', file('text.pem', issued.certificate));
    expect(text).toContain('URI:inferpath://agent/edge-1');
    expect(text).toContain('TLS Web Client Authentication');
    expect(text).toContain('ecdsa-with-SHA256');
    expect(text).toMatch(/CA:FALSE/);
    expect(issued.notAfterMs - now).toBe(agentLifeMs);
  });

  test('makes requests that are taken, and takes ours', () => {
    const key = file('csr.key', keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const theirs = openssl('req', '-new', '-key', key, '-subj', '/CN=edge', '-addext', 'subjectAltName=DNS:x');
    expect(publicKeyOfCsr(theirs)).toEqual(spki);
    const ours = file('ours.csr', makeCsr('edge', keys));
    expect(openssl('req', '-in', ours, '-noout', '-verify', '-subject')).toMatch(/CN ?= ?edge/);
  });

  test('makes requests with other keys, which are refused', () => {
    for (const algorithm of [['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['RSA'], ['ED25519']]) {
      const key = join(directory, 'other.key');
      openssl('genpkey', '-algorithm', ...algorithm, '-out', key);
      expect(() => publicKeyOfCsr(openssl('req', '-new', '-key', key, '-subj', '/CN=edge'))).toThrow(CsrError);
    }
  });
});

test('openssl is there in CI', () => {
  expect(hasOpenssl || process.env['CI'] !== 'true').toBe(true);
});

describe('publicKeyOfCsr', () => {
  const pem = makeCsr('edge', keys);
  const octets = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
  const armoured = (bytes: Uint8Array) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;

  test('takes what makeCsr makes', () => expect(publicKeyOfCsr(pem)).toEqual(spki));

  test('refuses every request of which any octet was changed', () => {
    const refusedAll = octets.every((octet, at) => {
      const changed = Buffer.from(octets);
      changed[at] = octet ^ 0x55;
      try {
        publicKeyOfCsr(armoured(changed));
        return false;
      } catch (error) {
        return error instanceof CsrError;
      }
    });
    expect(refusedAll).toBe(true);
  });

  test('throws nothing but its own error, whatever it gets', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .tuple(fc.nat(octets.length), fc.uint8Array({ maxLength: 20 }))
        .map(([at, more]) => Buffer.concat([octets.subarray(0, at), more, octets.subarray(at)])),
    );
    fc.assert(
      fc.property(pieces, fc.string(), (bytes, text) => {
        for (const given of [armoured(bytes), text, pem + text]) {
          try {
            expect(publicKeyOfCsr(given)).toEqual(spki);
          } catch (error) {
            if (!(error instanceof CsrError)) throw error;
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('rotation', () => {
  const overlapMs = 48 * 3_600_000;

  test('trusts the new authority at once, signs with it after the overlap, and trusts the old one until its last certificate has ended', () => {
    const [old] = [makeAuthority(now)];
    const both = rotated([old], now, overlapMs);
    const [, fresh] = both;
    expect(trustedOf(both, now)).toHaveLength(2);
    expect(signerOf(both, now)).toMatchObject({ certificate: old.certificate });
    expect(signerOf(both, now + overlapMs - 1)).toMatchObject({ certificate: old.certificate });
    expect(signerOf(both, now + overlapMs)).toBe(fresh);
    const last = issueAgentCertificate(signerOf(both, now + overlapMs - 1), 'edge', spki, now + overlapMs - 1);
    expect(trustedOf(both, last.notAfterMs - 1)).toHaveLength(2);
    expect(trustedOf(both, now + overlapMs + 7 * 24 * 3_600_000)).toEqual([fresh]);
  });

  test('again, within the overlap, keeps all three until each has served', () => {
    const three = rotated(rotated([makeAuthority(now)], now, overlapMs), now + 1000, overlapMs);
    expect(trustedOf(three, now + 1000)).toHaveLength(3);
    expect(signerOf(three, now + overlapMs + 1000)).toBe(three[2]);
  });

  test('survives a restart, and a file that cannot be read is never replaced', async () => {
    const io = fakeIo();
    const first = await Authorities.open('ca.json', io);
    await first.rotate(overlapMs);
    const second = await Authorities.open('ca.json', io);
    expect(second.bundle()).toBe(first.bundle());
    expect(second.pin()).toBe(first.pin());
    io.written.set('ca.json', '{"version":1,"authorities":[]}');
    await expect(Authorities.open('ca.json', io)).rejects.toThrow(/too_small|Too small/);
    expect(io.written.get('ca.json')).toBe('{"version":1,"authorities":[]}');
  });

  test('Authorities.signed() knows its own certificates from those of a namesake', async () => {
    const authorities = await Authorities.open('ca.json', fakeIo({ wallMs: now }));
    const own = issueAgentCertificate(authorities.signer(), 'edge', spki, now);
    expect(authorities.signed(new X509Certificate(own.certificate))).toBe(true);
    // Same name and key identifier, another key.
    const other = { ...authorities.signer(), key: makeAuthority(now).key };
    const forged = issueAgentCertificate(other, 'edge', spki, now);
    expect(authorities.signed(new X509Certificate(forged.certificate))).toBe(false);
  });
});
