import { expect, test } from 'vitest';
import type { AgentJob } from '../../model/agent-protocol.ts';
import { watchProbe } from '../../model/watch.ts';
import { acceptJobs, type JobRules } from './jobs.ts';
import { targetPolicy } from './target-policy.ts';

const rules: JobRules = {
  policy: targetPolicy([]),
  keyFor: (url, { env }) =>
    url.hostname === 'api.test' && env === 'API_KEY' ? { key: 'k1' } : { why: `no key for ${url.hostname}` },
};
const job = (more: Partial<AgentJob> = {}): AgentJob => ({
  id: '0/tcp/api',
  probe: 'tcp',
  endpoint: 'api',
  url: 'https://api.test/v1',
  everyMs: 1000,
  options: {},
  ...more,
});
const whyNot = (more: Partial<AgentJob>) => acceptJobs([job(more)], rules).refused[0]?.why;

test('every probe of the closed list can be run, with options of its own schema', () => {
  const jobs = watchProbe.options.map((probe) =>
    job({ id: probe, probe, options: probe === 'stamp' ? { reflector: '10.0.0.1:8620' } : {} }),
  );
  const { accepted, refused } = acceptJobs(jobs, rules);
  expect(refused).toEqual([]);
  expect(accepted.map(({ probe }) => probe.kind)).toEqual(watchProbe.options);
  expect(accepted.find(({ id }) => id === 'tcp')!.options).toMatchObject({ count: 1, timeoutMs: 5000 });
  expect(accepted.find(({ id }) => id === 'stamp')!.url.host).toBe('10.0.0.1:8620');
});

test('a job that cannot be is refused alone, with a reason', () => {
  const { accepted, refused } = acceptJobs([job({ id: 'good' }), job({ id: 'bad', url: 'ftp://api.test/' })], rules);
  expect(accepted.map(({ id }) => id)).toEqual(['good']);
  expect(refused).toEqual([{ id: 'bad', why: 'the scheme "ftp:" is not http or https' }]);
});

test.each<[string, Partial<AgentJob>, RegExp]>([
  ['a command', { probe: 'exec' as 'tcp' }, /./],
  ['a probe that exists and is none of the list', { probe: 'throughput' as 'tcp' }, /./],
  ['a file', { url: 'file:///etc/passwd' }, /scheme/],
  ['credentials in the URL', { url: 'https://u:p@api.test/' }, /credentials/],
  ['the metadata service', { url: 'http://169.254.169.254/latest' }, /link-local/],
  ['the metadata service in hexadecimal', { url: 'http://0xa9fea9fe/' }, /link-local/],
  ['the metadata service inside IPv6', { url: 'http://[::ffff:169.254.169.254]/' }, /link-local/],
  ['loopback by its short form', { url: 'http://127.1:8080/' }, /this host/],
  [
    'a reflector on a refused address',
    { probe: 'stamp', options: { reflector: '169.254.169.254:8620' } },
    /link-local/,
  ],
  ['no reflector', { probe: 'stamp' }, /no STAMP reflector/],
  ['a proxy', { probe: 'inference', options: { proxy: 'http://evil.test:3128' } }, /"proxy" is not for a server/],
  ['headers', { probe: 'inference', options: { headers: { 'x-a': 'b' } } }, /"headers" is not for a server/],
  ['a key', { probe: 'inference', options: { apiKey: 'k' } }, /"apiKey" is not for a server/],
  ['no verification', { probe: 'inference', options: { insecure: true } }, /"insecure" is not for a server/],
  [
    'the key of another host',
    { probe: 'inference', url: 'https://evil.test/', options: { auth: { env: 'API_KEY' } } },
    /no key for evil/,
  ],
  ['another variable', { probe: 'inference', options: { auth: { env: 'AWS_SECRET_ACCESS_KEY' } } }, /no key for api/],
  ['an unknown option', { options: { shell: 'id' } }, /options/],
  ['a count beyond the bound', { options: { count: 1e9 } }, /options.count/],
  ['an interval of nothing', { everyMs: 0 }, /./],
])('%s is refused', (_, more, why) => {
  expect(whyNot(more)).toMatch(why);
});

test('a key is used where the user of the agent permits it', () => {
  const { accepted } = acceptJobs(
    [job({ probe: 'inference', options: { auth: { env: 'API_KEY', header: 'x-key' } } })],
    rules,
  );
  expect(accepted[0]!.options).toMatchObject({ apiKey: 'k1', authHeader: 'x-key', requests: 1, fresh: true });
});

test('an id that comes twice is one job', () => {
  expect(acceptJobs([job(), job()], rules)).toMatchObject({
    accepted: [{ id: '0/tcp/api' }],
    refused: [{ why: 'the id is there twice' }],
  });
});
