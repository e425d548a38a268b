import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSecretName, withoutSecrets } from './secrets.ts';

test.each([
  ['found "https://u:p4ss@host/v1"; allowed: x', 'found "https://…@host/v1"; allowed: x'],
  ['clickhouse://watch:p@ss@h:1/x', 'clickhouse://…@h:1/x'],
  ["stat '/tmp/http:/u:p@h/x'", "stat '/tmp/http:/…@h/x'"],
  ['https://h/v1?api-version=3&api_key=abc#x', 'https://h/v1?api-version=3&api_key=…#x'],
  ['https://h/?X-Amz-Signature=abc&X-Amz-Date=1', 'https://h/?X-Amz-Signature=…&X-Amz-Date=1'],
  ['Authorization: Bearer abc.def', 'Authorization: …'],
  ['no, not for Bearer abc123def', 'no, not for Bearer …'],
  ['Set-Cookie: a=b; c', 'Set-Cookie: …'],
])('%s', (text, told) => {
  expect(withoutSecrets(text)).toBe(told);
});

test.each([
  'https://host:8443/v1/chat?model=a@b&max_tokens=3',
  'mail to a@example.com failed',
  'zookeeper://a:1,b:2/x',
  'bearer tokens are basic authentication',
  'lookup of u@h',
])('%s is left as it is', (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

test('names of secrets, as services write them', () => {
  for (const name of [
    'key',
    'apiKey',
    'api-key',
    'Ocp-Apim-Subscription-Key',
    'client_secret',
    'accessToken',
    'sig',
    'Cookie',
  ])
    expect(isSecretName(name), name).toBe(true);
  for (const name of [
    'model',
    'max_tokens',
    'tokenizer',
    'monkey',
    'keyboard',
    'api-version',
    'author',
    'x'.repeat(10_000),
  ])
    expect(isSecretName(name), name).toBe(false);
});

test('no user part and no secret parameter of any URL is left, wherever it stands', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9._~!$*+:-]{1,12}$/);
  fc.assert(
    fc.property(
      part,
      part,
      fc.constantFrom('token', 'api_key', 'X-Amz-Signature'),
      fc.string(),
      (user, value, name, around) => {
        const url = `https://Zq${user}@host/p?a=1&${name}=Zq${value}`;
        expect(withoutSecrets(`${around.replaceAll('Z', '')} ${url} end`)).not.toContain('Zq');
      },
    ),
  );
});

test('long hostile texts take no long time', () => {
  for (const text of ['a://', 'a:/b@', '?', 'bearer ', 'authorization', 'a-', '&key=', '@'].map((piece) =>
    piece.repeat(50_000),
  ))
    expect(withoutSecrets(text).length).toBeLessThanOrEqual(2 * text.length);
}, 5000);
