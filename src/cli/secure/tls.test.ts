import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import { cli, published } from '../../../test/fixtures/cli.ts';
import type { SecureTlsReport } from '../../model/secure/tls.ts';

const keyed = selfSignedCertificate(['server.test'], Date.now());
let server: Server;
let target: string;
const quick = ['--rate', '1000', '--gap', '5'];

beforeAll(async () => {
  server = createServer({ cert: keyed.cert, key: keyed.key, ecdhCurve: 'X25519:P-256' }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe('inferpath secure tls', () => {
  test('tells a classical endpoint, what switching over costs, and how; exit code 1', async () => {
    const { code, stdout } = await cli(['secure', 'tls', target, ...quick], { columns: 80 });
    expect(code).toBe(1);
    expect(stdout).toContain('CLASSICAL\n');
    expect(stdout).toContain('groups       x25519, secp256r1; 15 refused\n');
    expect(stdout).toMatch(/ClientHello {2,}\d+ {2,}1\d\d\d {2}octets\n/);
    expect(stdout).toContain('✗ Clients that offer a hybrid group get it');
    expect(stdout).toMatch(/ssl_ecdh_curve\s+X25519MLKEM768/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('writes the published document, and a CBOM whose references all resolve', async () => {
    const { code, stdout, io } = await cli(['secure', 'tls', target, ...quick, '--json', '--cbom', 'out.json']);
    expect(code).toBe(1);
    const { findings, endpoints } = published('secure-tls', stdout) as SecureTlsReport;
    expect(findings.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['pq-key-exchange', 'fail'],
      ['pq-client-hello', 'pass'],
      ['tls-profile', 'pass'],
    ]);
    expect(endpoints[0]!.survey.chains[0]).toMatchObject({ isSignatureValid: true });
    const cbom = JSON.parse(io.written.get('out.json')!) as {
      components: { 'bom-ref': string; cryptoProperties: object }[];
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    const refs = new Set(cbom.components.map((one) => one['bom-ref']));
    expect(refs.size).toBe(cbom.components.length);
    const used = [...JSON.stringify(cbom).matchAll(/"(?:\w+Ref)":"([^"]+)"/g)].map((match) => match[1]!);
    for (const ref of [...used, ...cbom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn])])
      expect(refs).toContain(ref);
    expect(refs).toContain(`protocol/tls-1.3@${target}`);
    expect(refs).toContain('algorithm/x25519');
  });

  test('counts with the classes of data of a network file', async () => {
    const text = [
      'version: 1',
      'endpoints:',
      '  - name: api',
      `    url: https://${target}`,
      'security:',
      '  dataClasses:',
      '    - { name: prompts, secrecyYears: 10, migrationYears: 4 }',
      '    - { name: other, secrecyYears: 10, migrationYears: 4, on: [api] }',
      '  quantumComputer: { earliest: 2031, latest: 2036 }',
      '',
    ].join('\n');
    const wallMs = Date.UTC(2026, 5, 1);
    const args = ['secure', 'tls', 'network.yaml', ...quick, '--profile', 'cnsa2', '--json'];
    const { code, stdout, stderr } = await cli(args, { files: { 'network.yaml': text }, wallMs });
    expect(stderr).toBe('');
    const { endpoints, findings } = published('secure-tls', stdout) as SecureTlsReport;
    // 10 + 4 − (2031 − 2026) and − (2036 − 2026)
    expect(endpoints[0]!.exposure).toMatchObject([
      { dataClass: 'prompts', exposedYears: [4, 9], status: 'exposed' },
      { dataClass: 'other', exposedYears: [4, 9] },
    ]);
    expect(endpoints[0]!.gates.filter(({ status }) => status === 'not-yet').map(({ id }) => id)).toEqual([
      'ml-kem-1024',
      'only-ml-kem-1024',
      'ml-dsa-87-certificate',
    ]);
    expect(findings.find(({ id }) => id === 'harvest-now')).toMatchObject({ verdict: 'fail', subject: 'api' });
    expect(code).toBe(1);
  });

  test.each(['nist', 'cnsa2'])(
    '--profile %s: a classical key exchange is exit code 1 before its date, too',
    async (profile) => {
      const args = ['secure', 'tls', target, ...quick, '--profile', profile, '--json'];
      const { code, stdout } = await cli(args, { wallMs: Date.UTC(2026, 10, 27) });
      const { endpoints, findings } = published('secure-tls', stdout) as SecureTlsReport;
      const gates = endpoints[0]!.gates.map(({ status }) => status);
      expect(gates).toContain('not-yet');
      expect(gates).not.toContain('fail');
      expect(findings.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).toEqual(['pq-key-exchange']);
      expect(code).toBe(1);
    },
  );

  test('a closed port and a name that does not exist are unknown, and exit code 3', async () => {
    const { code, stdout } = await cli(['secure', 'tls', '127.0.0.1:1', 'nowhere.invalid', ...quick]);
    expect(code).toBe(3);
    expect(stdout.match(/^UNKNOWN$/gm)).toHaveLength(2);
    expect(stdout).toContain('connection refused by 127.0.0.1:1');
  });

  test('names every mistake at once', async () => {
    const { code, stderr } = await cli(['secure', 'tls', 'http://a.test', 'b c', '--crqc-years', '9-3']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--secrecy-years|target/);
    const both = await cli(['secure', 'tls', 'http://a.test', 'b c']);
    expect(both.stderr.match(/allowed: host, host:port/g)).toHaveLength(2);
    const range = ['--secrecy-years', '1', '--migration-years', '1', '--crqc-years', '9-3'];
    expect((await cli(['secure', 'tls', 'a.test', ...range])).stderr).toContain('LOW at most HIGH');
  });
});
