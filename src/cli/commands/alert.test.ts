import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { type Listener, listener } from '../../serve/deliver/deliver.case.ts';
import { alertTestReport } from '../../model/alert-test-report.ts';
import { runCli } from '../run.ts';

const open: Listener[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((it) => it.close()))));

async function alertTest(status: number, words: readonly string[] = []) {
  const hook = await listener((response) => response.writeHead(status).end('said'));
  open.push(hook);
  const file = `version: 1
endpoints: [{name: chat, url: "https://chat.example"}]
watch:
  receivers:
    - {name: hook, type: webhook, urlEnv: HOOK}
    - {name: team, type: slack, urlEnv: SLACK}
`;
  const io = fakeIo({ realClock: true, files: { 'n.yaml': file }, env: { HOOK: `${hook.url}/c4n4ry-path` } });
  const code = await runCli(['alert', 'test', 'n.yaml', ...words], io);
  return { code, out: io.stdout(), err: io.stderr(), hook };
}
const allow = ['--allow', '127.0.0.0/8'];

describe('inferpath alert test', () => {
  test('sends a test and its end, says so, and exits with 0', async () => {
    const { code, out, hook } = await alertTest(200, [...allow, '--receiver', 'hook']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^hook \(webhook\) +took it, \d+ ms: HTTP 200: said\n$/)]);
    const bodies = hook.heard.map(({ body }) => JSON.parse(body) as { type: string; data: { status: string } });
    expect(bodies.map(({ type, data }) => [type, data.status])).toEqual([
      ['alert.test', 'firing'],
      ['alert.test', 'resolved'],
    ]);
  });

  test('tells of each receiver that did not take it, exits with 1, and shows no secret', async () => {
    const { code, out, err } = await alertTest(500, [...allow, '--json']);
    expect(code).toBe(1);
    expect(alertTestReport.parse(JSON.parse(out)).receivers).toMatchObject([
      { name: 'hook', outcome: 'retry', words: 'HTTP 500: said' },
      { name: 'team', outcome: 'refused', words: 'urlEnv: neither SLACK nor SLACK_FILE is set' },
    ]);
    expect(out + err).not.toContain('c4n4ry');
  });

  test('sends nothing to a private network that nobody has named, and says how to name it', async () => {
    const { code, out, hook } = await alertTest(200, ['--receiver', 'hook']);
    expect(code).toBe(1);
    expect(out).toContain('127.0.0.1 is not public; INFERPATH_RECEIVER_ALLOW=127.0.0.1/32 permits it');
    expect(hook.heard).toEqual([]);
  });

  test('names a receiver, a network or an action that there is not', async () => {
    const wrong = async (...words: string[]) => (await alertTest(200, words)).err;
    expect(await wrong('--receiver', 'hok')).toContain('found "hok"; allowed: hook, team');
    expect(await wrong('--allow', '10.0.0.0/33')).toContain('"10.0.0.0/33" is no CIDR');
  });
});
