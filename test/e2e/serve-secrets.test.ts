import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { canary, expectNone, type Gossip, gossip, gossipingMail } from '../fixtures/canaries.ts';
import { freePort } from '../fixtures/free-port.ts';
import { newMark, procFile } from '../fixtures/marked.ts';

const program = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const uses = ['key', 'filekey', 'hookurl', 'hookkey', 'badhook', 'slack', 'pager', 'smtp', 'pushed', 'otlp'];
const [key, fileKey, hookUrl, hookKey, badHook, slack, pager, smtp, pushed, otlp] = uses.map(canary) as [
  ...[string, string, string, string, string, string, string, string, string, string],
];
const secrets = uses.map(canary);

const folder = mkdtempSync(join(tmpdir(), 'inferpath-secrets-'));
const data = join(folder, 'data');
const state = join(folder, 'agent');
const mark = newMark();
const cleanUp: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const one of cleanUp.toReversed()) await one();
});

let server: Gossip;
let mail: Awaited<ReturnType<typeof gossipingMail>>;
let env: NodeJS.ProcessEnv;
const network = join(folder, 'network.yaml');
beforeAll(async () => {
  [server, mail] = [await gossip(), await gossipingMail()];
  cleanUp.push(server.close, mail.close);
  const at = `http://127.0.0.1:${server.port}`;
  mkdirSync(join(folder, 'secrets'));
  for (const [name, text] of Object.entries({ key: fileKey, slack: `${at}/services/${slack}`, otlp }))
    writeFileSync(join(folder, 'secrets', name), `${text}\n`);
  env = {
    PATH: process.env['PATH'],
    ...mark.env,
    INFERPATH_DEBUG: '1',
    INFERPATH_RECEIVER_ALLOW: '127.0.0.0/8',
    KEY: key,
    HOOK: `${at}/takes/${hookUrl}`,
    HOOK_KEY: `whsec_${Buffer.from(`${hookKey} and more octets`).toString('base64')}`,
    BAD_HOOK: `${at}/hook?token=${badHook}`,
    PAGER: `${at}/pager`,
    PAGER_KEY: pager,
    MAIL: `smtp://watch:${smtp}@127.0.0.1:${mail.port}`,
    PUSH: pushed,
  };
  writeFileSync(
    network,
    `version: 1
endpoints:
  - { name: by-env, url: '${at}/v1/chat/completions', auth: { env: KEY } }
  - { name: by-file, url: '${at}/v1/messages', auth: { file: secrets/key } }
  - { name: dead, url: 'http://127.0.0.1:${await freePort()}/v1/chat/completions', auth: { env: KEY } }
watch:
  agents: [{ name: local }, { name: edge }]
  schedule:
    - { probe: tcp, every: 250ms }
    - { probe: inference, every: 1s }
  receivers:
    - { name: hook, type: webhook, urlEnv: HOOK, secretEnv: HOOK_KEY }
    - { name: bad, type: webhook, urlEnv: BAD_HOOK }
    - { name: chat, type: slack, urlFile: secrets/slack }
    - { name: pager, type: pagerduty, urlEnv: PAGER, secretEnv: PAGER_KEY }
    - { name: mail, type: email, urlEnv: MAIL, to: [a@example.com], from: b@example.com }
  export:
    - { name: mimir, type: remote-write, url: '${at}/push', secretEnv: PUSH, user: me, every: 1s }
    - { name: collector, type: otlp, url: '${at}/v1/metrics', secretFile: secrets/otlp, every: 1s }
`,
  );
});

interface Process {
  said: () => string;
  line(): Promise<string>;
  exit: Promise<unknown>;
  end(): Promise<void>;
}

function start(words: readonly string[]): Process {
  const child = spawn(process.execPath, [program, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exit = once(child, 'close');
  cleanUp.push(() => child.kill('SIGKILL'));
  return {
    said: () => said,
    exit,
    line: async () => {
      await vi.waitUntil(() => /^\{.*\}$/m.test(said) || child.exitCode !== null, patience);
      return /^\{.*\}$/m.exec(said)?.[0] ?? said;
    },
    end: async () => {
      child.kill('SIGINT');
      await exit;
    },
  };
}

const patience = { timeout: 60_000, interval: 50 };
/** Everything that was said, by the command that said it. */
const told: [where: string, text: string][] = [];
/** Runs a command to its end. */
async function run(...words: string[]): Promise<string> {
  const one = start(words);
  await one.exit;
  told.push([words.join(' '), one.said()]);
  return one.said();
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true);
}

test('a server with an agent keeps every secret in its own place: not in answers, pages, metrics, alerts, audit log, store, spool or logs', async () => {
  const up = start([
    'up',
    network,
    '--listen',
    '127.0.0.1:0',
    '--agents',
    '127.0.0.1:0',
    '--name',
    '127.0.0.1',
    '--data',
    data,
    '--json',
  ]);
  const { url, login, agents } = JSON.parse(await up.line()) as { url: string; login: string; agents: string };
  const opened = await fetch(`${url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret: login.split('#')[1] }),
  });
  const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';');
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`, { headers: { cookie } });
    const text = `${JSON.stringify([...answer.headers])} ${await answer.text()}`;
    told.push([path, text]);
    return text;
  };

  // What the server makes itself and tells once.
  const invitation = JSON.parse(await run('agents', 'invite', 'edge', '--json', '--data', data)) as {
    token: string;
    pin: string;
  };
  const { token } = JSON.parse(await run('token', 'create', 'grafana', '--json', '--data', data)) as { token: string };
  expect(told.pop()?.[1]).toContain(token);
  expect(told.pop()?.[1]).toContain(invitation.token);
  const made = [token, invitation.token, cookie.split('=')[1] ?? '', login.split('#')[1] ?? ''];
  expect(made.every((one) => one.length > 20)).toBe(true);

  writeFileSync(join(folder, 'invitation'), invitation.token);
  const place = ['--state', state, '--server', agents, '--name', 'edge', '--pin', invitation.pin];
  await run('agent', 'enroll', ...place, '--token-file', join(folder, 'invitation'));
  mkdirSync(join(folder, 'textfile'));
  const agent = start([
    'agent',
    '--state',
    state,
    '--allow',
    '127.0.0.0/8',
    '--json',
    '--alarm-after',
    '1',
    '--textfile',
    join(folder, 'textfile'),
    '--key',
    `http://127.0.0.1:${server.port}=KEY`,
  ]);

  // Until everything has been where it must be: then there is something that could have come out.
  const heard = () => JSON.stringify(server.heard);
  await vi
    .waitUntil(
      () =>
        [key, fileKey, hookUrl, badHook, slack, pager, otlp].every((one) => heard().includes(one)) &&
        heard().includes(Buffer.from(`me:${pushed}`).toString('base64')) &&
        mail.heard.some((line) => line.startsWith('AUTH')) &&
        /"webhook-signature":"v1,/.test(heard()) &&
        readdirSync(join(folder, 'textfile')).length > 0,
      patience,
    )
    .catch((error: unknown) => {
      const missing = [key, fileKey, hookUrl, badHook, slack, pager, otlp].filter((one) => !heard().includes(one));
      throw new Error(
        `${String(error)}: ${missing.join()} ${mail.heard.join()} ${up.said().slice(-3000)} ${agent.said().slice(-1000)}`,
      );
    });

  const { paths } = JSON.parse((await get('/api/openapi.json')).replace(/^\[\[.*?\]\] /, '')) as {
    paths: Record<string, object>;
  };
  const readable = Object.entries(paths).flatMap(([path, methods]) =>
    'get' in methods && !/[:{]|\/events$/.test(path) ? [path] : [],
  );
  expect(readable.length).toBeGreaterThan(10);
  for (const path of [...readable, '/', '/login', '/metrics', '/api/v1/samples?limit=1000', '/nowhere?token=x'])
    await get(path);
  const { alerts } = JSON.parse((await get('/api/v1/alerts')).replace(/^\[\[.*?\]\] /, '')) as {
    alerts: { id: string }[];
  };
  expect(alerts.length).toBeGreaterThan(0);
  for (const { id } of alerts.slice(0, 2)) {
    await get(`/api/v1/alerts/${id}`);
    await get(`/alerts/${id}`);
  }
  for (const words of [
    ['alert', 'list', '--data', data],
    ['admin', 'audit', '--json', '--data', data],
    ['alert', 'test', network],
  ])
    await run(...words);

  // Everybody on the machine can read the arguments of processes.
  for (const pid of mark.alive()) told.push([`/proc/${pid}/cmdline`, procFile(pid, 'cmdline')]);

  await up.end();
  await agent.end();
  told.push(['up', up.said().replace(login, '')], ['agent', agent.said()]);
  await run('store', 'export', join(folder, 'out.jsonl'), '--data', data);

  for (const [where, text] of told) expectNone(where, text, [...secrets, ...made]);
  const kept = [
    ...filesBelow(data),
    ...filesBelow(state),
    ...filesBelow(join(folder, 'textfile')),
    join(folder, 'out.jsonl'),
  ];
  expect(kept.length).toBeGreaterThan(5);
  for (const file of kept) expectNone(file, readFileSync(file, 'latin1'), [...secrets, ...made]);
}, 300_000);
