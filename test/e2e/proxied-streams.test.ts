import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { read, type Tap, tapBefore } from '../../src/gather/capture/streams/tap.case.ts';
import { selfSignedCertificate } from '../fixtures/certificate.ts';
import { freePort } from '../fixtures/free-port.ts';

/** Never skipped in CI, where a missing one is the failure. */
const missing = ['nginx', 'haproxy'].filter((name) => spawnSync(name, ['-v']).error !== undefined);
if (missing.length > 0)
  process.stderr.write(`tests of streams through proxies are skipped: no ${missing.join(', ')}\n`);

const chunks = 12;
/** Long beside what a busy machine adds to it. */
const [firstMs, paceMs] = [300, 100];
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe.skipIf(missing.length > 0 && process.env['CI'] !== 'true')(
  'streams through real proxies, seen in front of them',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-proxied-'));
    const proxies: ChildProcess[] = [];
    const ports = { nginx: 0, haproxy: 0 };
    /** When the server wrote each chunk of each answer. */
    const written: number[][] = [];
    let server: Server;

    beforeAll(async () => {
      server = createServer((asked, answer) => {
        asked.resume().on('end', () => {
          const log: number[] = [];
          written.push(log);
          answer.writeHead(200, { 'content-type': 'text/event-stream' });
          answer.flushHeaders();
          const go = async () => {
            await pause(firstMs);
            for (let i = 0; i < chunks; i++) {
              log.push(performance.now());
              answer.write(`data: {"choices":[{"index":0,"delta":{"content":"word ${i}"}}]}\n\n`);
              await pause(paceMs);
            }
            answer.end();
          };
          void go();
        });
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const model = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      [ports.nginx, ports.haproxy] = [await freePort(), await freePort()];
      const { cert, key } = selfSignedCertificate(['model.test'], Date.now());
      writeFileSync(join(folder, 'both.pem'), `${cert}\n${key}\n`, { mode: 0o600 });
      const place = (name: string, buffering: string) =>
        `location /${name} { proxy_buffering ${buffering}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://${model}; }`;
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join(' ');
      writeFileSync(
        join(folder, 'nginx.conf'),
        `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
       events {}
       http { access_log off; ${temporary}
         server { listen 127.0.0.1:${ports.nginx} ssl http2; ssl_certificate both.pem; ssl_certificate_key both.pem;
           ${place('held', 'on')} ${place('passed', 'off')} } }\n`,
      );
      writeFileSync(
        join(folder, 'haproxy.cfg'),
        `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:${ports.haproxy} ssl crt ${folder}/both.pem alpn h2,http/1.1
  default_backend model
backend model
  server one ${model}\n`,
      );
      const start = (command: string, ...words: string[]) =>
        proxies.push(spawn(command, words, { cwd: folder, stdio: 'ignore' }));
      start('nginx', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr');
      start('haproxy', '-db', '-f', 'haproxy.cfg');
      for (const port of Object.values(ports)) await listening(port);
    }, 30_000);
    afterAll(() => {
      for (const child of proxies) child.kill('SIGKILL');
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test.each([
      ['nginx, buffering off', 'nginx', '/passed', false],
      ['nginx, buffering off', 'nginx', '/passed', true],
      ['HAProxy', 'haproxy', '/', false],
      ['HAProxy', 'haproxy', '/', true],
    ] as const)('%s (%s%s, HTTP/2: %s): chunks at the pace of the model server', async (_, proxy, path, http2) => {
      written.length = 0;
      const { connections } = await tapped(ports[proxy], path, http2);
      const found = read(connections[0]!);
      expect(found).toHaveLength(2);
      for (const [i, one] of found.entries()) {
        const [first, second] = written[i]!;
        expect(one).toMatchObject({ kind: http2 ? 'http2-tls' : 'tls', shape: 'stream', chunks, overlapped: false });
        expect(one.firstChunkMs).toBeGreaterThanOrEqual(first!);
        expect(one.firstChunkMs).toBeLessThan(second! + paceMs);
        expect(one.paceMs).toBeGreaterThan(0.7 * paceMs);
        // The head goes out at once, and is not the first token.
        if (!http2) expect(one.firstByteMs).toBeLessThan(first!);
      }
    });

    test('nginx as it is by default holds an answer back to its end: one burst, and no cadence is made up', async () => {
      written.length = 0;
      const { connections } = await tapped(ports.nginx, '/held', false);
      const found = read(connections[0]!);
      expect(found).toHaveLength(2);
      for (const [i, one] of found.entries()) {
        expect(one).toMatchObject({ kind: 'tls', shape: 'whole', gaps: null, stalls: [] });
        expect(one.firstByteMs).toBeGreaterThan(written[i]!.at(-1)!);
      }
    });
  },
);

async function listening(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => (socket.destroy(), done(true)));
      socket.on('error', () => done(false));
    });
    if (open) return;
    if (tries === 200) throw new Error(`nobody listens on ${port}`);
    await pause(50);
  }
}

/** Two answers, one after the other over one connection. */
async function tapped(port: number, path: string, http2: boolean): Promise<Tap> {
  const tap = await tapBefore(port);
  const body = JSON.stringify({ stream: true, prompt: 'x'.repeat(600) });
  if (http2) {
    const session = connectHttp2(`https://127.0.0.1:${tap.port}`, { rejectUnauthorized: false });
    for (let i = 0; i < 2; i++)
      await new Promise<void>((done, fail) => {
        const asking = session.request({ ':method': 'POST', ':path': path });
        asking.on('error', fail);
        asking.resume().on('end', done);
        asking.end(body);
      });
    session.close();
  } else {
    const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
    for (let i = 0; i < 2; i++)
      await new Promise<void>((done, fail) => {
        const asking = request({ port: tap.port, method: 'POST', path, agent }, (answer) => {
          answer.resume().on('end', done);
        });
        asking.on('error', fail);
        asking.end(body);
      });
    agent.destroy();
  }
  await tap.idle();
  tap.stop();
  return tap;
}
