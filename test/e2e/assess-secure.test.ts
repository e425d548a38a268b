import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InventoryReport } from '../../src/model/secure/inventory.ts';
import { selfSignedCertificate } from '../fixtures/certificate.ts';
import { published } from '../fixtures/cli.ts';

const program = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-assess-secure-'));
const keyed = selfSignedCertificate(['127.0.0.1'], Date.now());

/** An Ollama that anybody may use, as far as it is asked here. */
const ollama = createServer((request, response) => {
  const answers: Record<string, unknown> = {
    '/api/version': { version: '0.11.4' },
    '/api/tags': { models: [{ name: 'llama3:8b' }] },
    '/api/ps': { models: [] },
  };
  if (request.url === '/') return response.end('Ollama is running');
  const body = answers[request.url ?? ''];
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  return response.end(JSON.stringify(body ?? {}));
});
/** A front end whose TLS is of yesterday. */
const front = createTlsServer({ ...keyed, maxVersion: 'TLSv1.2' }, (_, response) => response.end('{}'));
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  for (const server of [ollama, front]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  writeFileSync(
    join(folder, 'net.yaml'),
    `version: 1
endpoints:
  - { name: front, url: 'https://127.0.0.1:${portOf(front)}/v1/chat/completions' }
policy:
  groups:
    - { name: clients, cidrs: [10.1.0.0/16] }
    - { name: servers, cidrs: [10.2.0.1] }
  allow:
    - { name: ask, from: [clients], to: [servers], services: [tcp/8000], why: questions }
security:
  hops:
    - { name: inside, between: [front, ollama], layers: [{ kind: none }] }
`,
  );
});
afterAll(() => {
  for (const server of [ollama, front]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The built CLI; what it prints goes into a file where one is named. */
function inferpath(words: readonly string[], into?: string): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [program, ...words],
      { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 },
      (_, out, err) => {
        if (into !== undefined) writeFileSync(join(folder, into), out);
        done({ code: child.exitCode ?? -1, out, err });
      },
    );
  });
}

test('reports of secure flow into an assessment, its pages, and the tenets of an inventory', async () => {
  const quick = ['--rate', '1000', '--gap', '20', '--json'];
  await inferpath(['secure', 'tls', 'net.yaml', ...quick], 'tls.json');
  const ports = `${portOf(ollama)}`;
  await inferpath(['secure', 'exposure', '127.0.0.1', '--ports', ports, '--json'], 'exposure.json');
  await inferpath(['secure', 'policy', 'prove', 'net.yaml', '--target', 'nftables', '--json'], 'prove.json');
  writeFileSync(
    join(folder, 'seen.txt'),
    'tcp ESTAB 0 0 10.2.0.1:8000 10.1.0.5:50000\ntcp LISTEN 0 128 10.2.0.1:8000 0.0.0.0:*\n',
  );
  await inferpath(['secure', 'policy', 'drift', 'net.yaml', 'seen.txt', '--self', '10.2.0.1', '--json'], 'drift.json');
  for (const [name, file] of [
    ['secure-tls', 'tls'],
    ['secure-exposure', 'exposure'],
    ['policy-proof', 'prove'],
    ['policy-drift', 'drift'],
  ] as const)
    published(name, readFileSync(join(folder, `${file}.json`), 'utf8'));

  const pages = ['--html', 'r.html', '--markdown', 'r.md'];
  const secure = ['tls', 'exposure', 'drift'].flatMap((name) => ['--secure', `${name}.json`]);
  const ran = await inferpath([
    'assess',
    'net.yaml',
    '--requests',
    '1',
    '--timeout',
    '3',
    '--insecure',
    ...pages,
    ...secure,
    '--json',
  ]);
  const report = published('assess', ran.out);
  expect([ran.code, ran.err]).not.toContain(2);
  const security = report.findings.filter(({ pillar }) => pillar === 'security');
  const said = security.map(({ id, subject, verdict }) => `${id} ${subject} ${verdict}`);
  expect(said).toContain('pq-key-exchange front fail');
  expect(said).toContain('hop-encryption inside fail');
  expect(said).toContain(`inference-open 127.0.0.1:${portOf(ollama)} unknown`);
  for (const { id, details } of security.filter(({ id: one }) =>
    /^(pq-key-exchange|inference-open|policy-drift)$/.test(one),
  ))
    expect(details.at(-1), id).toMatch(
      /^From a report of inferpath \(inferpath\/(secure-tls|secure-exposure|policy-drift)@1 of 20/,
    );
  const { cells } = report.endpoints[0]!;
  expect(cells.security).toMatchObject({ verdict: 'fail', findings: expect.arrayContaining(['pq-key-exchange']) });
  for (const file of ['r.html', 'r.md']) {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text, file).toContain('pq-key-exchange');
    expect(text, file).toContain('inference-open');
  }

  const evidence = ['tls', 'exposure', 'prove', 'drift'].flatMap((name) => ['--evidence', `${name}.json`]);
  const inventory = await inferpath(['secure', 'inventory', 'net.yaml', ...evidence, '--json']);
  const { tenets } = published('secure-inventory', inventory.out) as InventoryReport;
  const states = Object.fromEntries(tenets.map(({ number, state, evidence: why }) => [number, `${state}: ${why}`]));
  expect(states).toMatchObject({
    1: expect.stringMatching(/^pass: 1 of 1/),
    2: expect.stringMatching(/^fail: /),
    3: expect.stringMatching(/^fail: 0 of 1/),
    4: expect.stringMatching(/^pass: /),
    6: expect.stringMatching(/^pass: /),
  });
}, 120_000);
