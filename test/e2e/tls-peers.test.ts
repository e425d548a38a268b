import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SecureTlsReport } from '../../src/model/secure/tls.ts';
import { selfSignedCertificate } from '../fixtures/certificate.ts';
import { cli, published } from '../fixtures/cli.ts';
import {
  askWithNode24,
  hasStack,
  mlDsaCertificate,
  type Peer,
  startOpenSsl,
  startPeer,
} from '../fixtures/tls-peers.ts';

/** A quick survey of one server; the splits have a test of their own. */
async function scan(port: number, ...flags: string[]) {
  const args = ['secure', 'tls', `127.0.0.1:${port}`, '--rate', '1000', '--gap', '20', '--json', ...flags];
  const { code, stdout, stderr } = await cli(args);
  expect(stderr).toBe('');
  const report = published('secure-tls', stdout) as SecureTlsReport;
  const [endpoint] = report.endpoints;
  return { code, report, endpoint: endpoint!, survey: endpoint!.survey };
}

const keyed = selfSignedCertificate(['server.test'], Date.now());
const all17 = [
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'curveSM2MLKEM768',
  'MLKEM1024',
  'MLKEM768',
  'MLKEM512',
  'X25519Kyber768Draft00',
  'SecP256r1Kyber768Draft00',
  'x25519',
  'secp256r1',
  'secp384r1',
  'secp521r1',
  'x448',
  'ffdhe2048',
  'ffdhe3072',
  'ffdhe4096',
];

interface Row {
  stack: 'node24' | 'bun' | 'deno' | 'openssl';
  title: string;
  options?: { ecdhCurve: string };
  /** In the order of the server, or of our offer where the client's decides. */
  groups: string[];
  preference: 'server' | 'client' | 'only-one';
  verdict: string;
  browser: string | null;
}

const rows: Row[] = [
  {
    stack: 'node24',
    title: 'OpenSSL 3.5 as it comes',
    groups: ['X25519MLKEM768', 'x25519', 'secp256r1', 'x448', 'secp384r1', 'secp521r1', 'ffdhe2048', 'ffdhe3072'],
    preference: 'server',
    verdict: 'pq-default',
    browser: 'X25519MLKEM768',
  },
  {
    stack: 'node24',
    title: 'OpenSSL 3.5 with CNSA 2.0 groups and pure ML-KEM',
    options: { ecdhCurve: 'SecP384r1MLKEM1024:MLKEM1024:MLKEM768:MLKEM512' },
    groups: ['SecP384r1MLKEM1024', 'MLKEM1024', 'MLKEM768', 'MLKEM512'],
    preference: 'server',
    verdict: 'pq-by-retry',
    browser: null,
  },
  {
    stack: 'node24',
    title: 'OpenSSL 3.5 with another hybrid than browsers have',
    options: { ecdhCurve: 'SecP256r1MLKEM768:X25519' },
    groups: ['SecP256r1MLKEM768', 'x25519'],
    preference: 'server',
    verdict: 'pq-possible-not-chosen',
    browser: 'x25519',
  },
  {
    stack: 'bun',
    title: 'BoringSSL',
    groups: ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'],
    preference: 'server',
    verdict: 'pq-default',
    browser: 'X25519MLKEM768',
  },
  {
    stack: 'deno',
    title: 'rustls',
    groups: ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'],
    preference: 'client',
    verdict: 'pq-default',
    browser: 'X25519MLKEM768',
  },
  {
    stack: 'openssl',
    title: 'OpenSSL 3.0 of Debian',
    groups: ['x25519', 'secp256r1', 'x448', 'secp521r1', 'secp384r1', 'ffdhe2048', 'ffdhe3072', 'ffdhe4096'],
    preference: 'server',
    verdict: 'classical',
    browser: 'x25519',
  },
];

const folder = mkdtempSync(join(tmpdir(), 'inferpath-tls-'));
const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
beforeAll(() => {
  writeFileSync(files.cert, keyed.cert);
  writeFileSync(files.key, keyed.key);
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = ({ stack, options }: Row): Promise<Peer> =>
  stack === 'openssl'
    ? startOpenSsl(['-cert', files.cert, '-key', files.key])
    : startPeer(stack, { cert: keyed.cert, key: keyed.key, ...options });

describe.each(rows)('$title', (row) => {
  test.skipIf(!hasStack(row.stack))('has exactly these of the 17 groups, in this order', async () => {
    const peer = await start(row);
    try {
      const { endpoint, survey } = await scan(peer.port);
      expect(survey.groups.map(({ name }) => name)).toEqual(all17);
      const there = survey.groups.filter(({ support }) => support === 'yes').sort((a, b) => a.rank! - b.rank!);
      expect(there.map(({ name }) => name)).toEqual(row.groups);
      expect(survey.groups.filter(({ support }) => support === 'unknown')).toEqual([]);
      expect(survey.preference).toBe(row.preference);
      expect(endpoint.verdict).toMatchObject({ kind: row.verdict });
      const browser = survey.probes.find(({ id }) => id === 'browser')!;
      expect(browser.reply.kind === 'complete' ? browser.reply.said.group : null).toBe(row.browser);
      expect(endpoint.path.diagnosis.kind).toBe('clean');
      // OpenSSL says "internal error" where its security level forbids the signatures of a version.
      const old = survey.versions.filter(({ version }) => /1\.[01]$/.test(version)).map(({ support }) => support);
      expect(old).toEqual(['no', 'no']);
      expect(survey.probes.length).toBeLessThanOrEqual(30);
      // The client of Node 24 is a witness that owes us nothing.
      if (hasStack('node24')) expect((await askWithNode24(peer.port, offered(row))).name).toBe(witness(row));
    } finally {
      await peer.stop();
    }
  });
});

/** What Node 24 offers by itself has nothing in common with a server that browsers cannot reach; then it is told what to offer. */
const offered = ({ browser, groups }: Row): string => (browser === null ? groups.join(':') : '');

/** What Node 24 offers is what browsers offer and a little more. */
const witness = ({ browser, groups }: Row): string | undefined =>
  browser === 'x25519' ? 'X25519' : (browser ?? groups[0]);

describe.skipIf(!hasStack('node24'))('certificates of ML-DSA', () => {
  test.each(['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const)('%s is read, and its signature checked', async (name) => {
    const peer = await startPeer('node24', mlDsaCertificate(name, Date.now()));
    try {
      const { survey, endpoint } = await scan(peer.port, '--profile', 'nist');
      const [chain] = survey.chains;
      expect(chain!.certificates[0]).toMatchObject({
        subject: `CN=${name} test`,
        key: name,
        keyResistance: 'post-quantum',
        signature: name,
        signatureResistance: 'post-quantum',
      });
      expect(chain).toMatchObject({ isSignatureValid: true, scheme: name.toLowerCase().replace('ml-dsa-', 'mldsa') });
      expect(survey.signatures).toMatchObject([
        { family: 'ML-DSA', support: 'yes' },
        { family: 'ECDSA', support: 'no' },
        { family: 'RSA', support: 'no' },
      ]);
      expect(endpoint.gates.find(({ id }) => id === 'pq-certificate')?.status).toBe('pass');
    } finally {
      await peer.stop();
    }
  });
});

test.skipIf(!hasStack('deno'))('rustls answers a ServerHello to what it cannot sign: not taken for a yes', async () => {
  const peer = await startPeer('deno', { cert: keyed.cert, key: keyed.key });
  try {
    const { survey } = await scan(peer.port);
    const row = survey.probes.find(({ id }) => id === 'signature-ml-dsa')!;
    expect(row.reply).toMatchObject({ kind: 'alert', name: 'handshake_failure', after: 'hello' });
    expect(survey.signatures).toMatchObject([{ support: 'no' }, { support: 'yes' }, { support: 'no' }]);
  } finally {
    await peer.stop();
  }
});
