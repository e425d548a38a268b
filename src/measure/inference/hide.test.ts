import { expect, test } from 'vitest';
import { secretsOf, withoutThem } from './hide.ts';

const secrets = secretsOf({
  apiKey: ' sk-abcdef ',
  headers: { cookie: 'session=0123456789', 'x-auth': 'Token zyxwvut', accept: 'a' },
  link: { proxy: new URL('http://me:pr0xy%20pass@127.0.0.1:3128') },
});

test('what was sent is taken out of everything that is said, wherever it stands', () => {
  const basic = Buffer.from('me:pr0xy pass').toString('base64');
  expect(
    withoutThem(
      {
        message: 'no sk-abcdef, no session=0123456789, no Token zyxwvut',
        code: ['zyxwvut', basic, 'pr0xy pass'],
        status: 401,
        nothing: null,
      },
      secrets,
    ),
  ).toEqual({ message: 'no (the API key), no …, no …', code: ['…', '…', '…'], status: 401, nothing: null });
});

test('a secret that was cut at the end of a text is taken out, too; short words stay', () => {
  expect(withoutThem('the key is sk-abcd', secrets)).toBe('the key is (the API key)');
  expect(withoutThem('a sk-ab', secrets)).toBe('a sk-ab');
  expect(withoutThem('a', secretsOf({ apiKey: undefined, headers: {}, link: {} }))).toBe('a');
});
