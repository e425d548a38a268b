import { afterAll, beforeAll, expect, test } from 'vitest';
import { canary, expectNone, type Gossip, gossip } from '../fixtures/canaries.ts';
import { cli, startCli } from '../fixtures/cli.ts';
import { freePort } from '../fixtures/free-port.ts';

const secrets = ['key', 'header', 'user', 'query', 'store', 'keeper', 'enrol', 'bearer', 'file'].map(canary);
const [key, header, password, query, store, keeper, enrol, bearer, inFile] = secrets as [
  ...[string, string, string, string, string, string, string, string, string],
];
const env = {
  KEY: key,
  INFERPATH_TOKEN: bearer,
  INFERPATH_CLICKHOUSE_PASSWORD: store,
  INFERPATH_ZOOKEEPER_AUTH_FILE: '/run/keeper',
  INFERPATH_DEBUG: '1',
};
const once = ['--requests', '1', '--prompt-tokens', '5', '--max-tokens', '2', '--timeout', '3'];
const outputs = ['--html', '/r.html', '--markdown', '/r.md'];

let server: Gossip;
let dead = 0;
beforeAll(async () => {
  server = await gossip();
  dead = await freePort();
});
afterAll(() => server.close());

const files = () => ({
  '/run/keeper': `watch:${keeper}`,
  '/run/key': `${inFile}\n`,
  '/net.yaml': `version: 1
endpoints:
  - { name: by-env, url: 'http://127.0.0.1:${server.port}/v1/chat/completions', auth: { env: KEY } }
  - { name: by-file, url: 'http://127.0.0.1:${server.port}/v1/messages', auth: { file: /run/key } }
  - { name: dead, url: 'http://127.0.0.1:${dead}/v1/chat/completions', auth: { env: KEY } }
`,
  '/bad.yaml': `version: 1
endpoints:
  - { name: a, url: 'http://u:${password}@127.0.0.1:1/', auth: { env: ${key}, key: ${key} } }
  - { name: b, url: 'http://127.0.0.1:1/?access_token=${query}', apiKey: ${key} }
watch:
  receivers: [{ name: hook, type: webhook, url: 'ftp://u:${password}@h/', secret: ${key} }]
`,
});

/** Command lines with secrets where they belong and where they do not, as people write them. */
function lines(): string[][] {
  const at = (path: string, port = server.port) => `http://127.0.0.1:${port}${path}`;
  const withUser = `http://u:${password}@127.0.0.1:${server.port}/v1/chat/completions`;
  const withQuery = at(`/v1/chat/completions?api-version=1&api_key=${query}`);
  const withBoth = `http://u:${password}@127.0.0.1:${server.port}/x?X-Amz-Signature=${query}`;
  const infer = ['infer', ...once, '--auth-env', 'KEY'];
  const typed = [withUser, withQuery, withBoth].flatMap((url) => [
    ['infer', url, ...once],
    ['assess', url, '--requests', '1'],
    ...[['ping', '-n', '1'], ['trace'], ['mtu'], ['throughput'], ['alert', 'test'], ['import']].map((words) => [
      ...words,
      url,
    ]),
    ...[['secure', 'exposure'], ['secure', 'nonsense'], ['nonsense']].map((words) => [...words, url]),
    ...[['secure', 'tls'], ['responsiveness']].map((words) => [...words, url.replace('http:', 'https:')]),
    ['stamp', url.replace('http:', 'stamp:')],
    [...infer, at('/'), '--proxy', url.replace('http:', 'socks5:')],
    [...infer, at('/'), '--ca', url],
    [...infer, at('/'), `--htpp=${url}`],
    ['serve', '/net.yaml', '--url', url.replace('http:', 'ftp:')],
    ['serve', '/net.yaml', '--store', url],
    ['serve', '/net.yaml', '--documents', url],
    ['serve', '/net.yaml', '--store', url.replace('http:', 'clickhouse:')],
    ['serve', '/net.yaml', '--documents', url.replace('http:', 'zookeeper:')],
    ['agent', 'enroll', '--server', url, '--token', enrol],
    ['token', 'list', '--server', url],
  ]);
  return [
    ...typed,
    ...[[], ['--json']].flatMap((more) => [
      [...infer, at('/v1/chat/completions'), '--header', `x-extra: Token ${header}`, ...more],
      [...infer, at('/v1/chat/completions', dead), '--header', `cookie: sid=${header}`, ...more],
      [...infer, at('/v1/messages'), '--proxy', `http://u:${password}@127.0.0.1:${server.port}`, ...more],
      [
        ...infer,
        at('/api/chat').replace('http:', 'https:'),
        '--proxy',
        `http://u:${password}@127.0.0.1:${server.port}`,
      ],
      ['assess', '/net.yaml', '--requests', '1', '--timeout', '3', '--pings', '1', ...outputs, ...more],
      ['assess', '/bad.yaml', ...more],
      ['alert', 'test', '/bad.yaml', ...more],
    ]),
    [...infer, at('/'), '--header', `Authorization Bearer ${header}`],
    [...infer, at('/'), '--header', `Authorization: Bearer ${header}\n`],
    ['infer', at('/'), '--auth-env', key],
    ['infer', at('/'), '--api-key', key],
    ['infer', at('/'), '--api-key', key, '--token', bearer, `--password=${password}`],
    ['stamp', '127.0.0.1', '--key-env', key],
    [
      'agent',
      'enroll',
      '--server',
      `http://127.0.0.1:${dead}`,
      '--token',
      'short' + enrol.slice(0, 12),
      '--pin',
      'sha256:x',
    ],
    ['agent', '--key', `api.example.com=${key}`],
    ['agent', '--key', key],
    ['agent', '--key', `api.example.com:${key}`],
    ['token', 'create', 'x', '--token', bearer],
    ['token', 'list', '--server', at('')],
    ['token', 'list', '--server', at('', dead)],
    ['store', 'repair', '--store', `clickhouse://watch@127.0.0.1:${server.port}/x`],
    ['store', 'repair', '--store', `clickhouse://watch@127.0.0.1:${dead}/x`],
    ['store', 'info', '--store', `clickhouse://watch:${store}@127.0.0.1:${dead}/x`],
    ['store', 'info', '--store', `clickhouse://watch@127.0.0.1:${dead}/x?password=${store}`],
    [
      'store',
      'info',
      '--store',
      `clickhouse://watch@127.0.0.1:${dead}/x`,
      '--documents',
      `zookeeper://u:${keeper}@127.0.0.1:${dead}/x`,
    ],
  ];
}

test('no command repeats a secret, whatever it was typed into and whatever a server repeats', async () => {
  const all = lines();
  const one = async (words: string[]) => {
    const { io, code } = await cli(words, { env, files: files() });
    const where = words.join(' ');
    expect([0, 1, 2, 3], where).toContain(code);
    expectNone(where, io.stdout() + io.stderr(), secrets);
    for (const [path, text] of io.written) if (path.startsWith('/r.')) expectNone(`${where}: ${path}`, text, secrets);
  };
  // They mostly wait.
  const waiting = [...all];
  const work = async () => {
    for (let words = waiting.shift(); words; words = waiting.shift()) await one(words);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  // The keys were where they must be, so that there was something to repeat.
  const told = JSON.stringify(server.heard.map(({ headers, url }) => [headers, url]));
  for (const secret of [key, header, inFile, bearer]) expect(told).toContain(secret);
  for (const pair of [`u:${password}`, `watch:${store}`]) expect(told).toContain(Buffer.from(pair).toString('base64'));
}, 300_000);

test('a process with INFERPATH_DEBUG=1 says none either, and its reports that are files hold none', async () => {
  for (const words of [
    [
      'infer',
      `http://127.0.0.1:${server.port}/v1/chat/completions`,
      ...once,
      '--auth-env',
      'KEY',
      '--header',
      `x-extra: ${header}`,
    ],
    ['import', `http://u:${password}@127.0.0.1:${server.port}/?token=${query}`],
    ['store', 'repair', '--store', `clickhouse://watch@127.0.0.1:${server.port}/x`],
  ]) {
    const { INFERPATH_ZOOKEEPER_AUTH_FILE: _no, ...plain } = env;
    const { stdout, stderr } = await startCli(words, { env: plain }).ended;
    expectNone(words.join(' '), stdout + stderr, secrets);
    expect(stdout + stderr).not.toBe('');
  }
});
