import { expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { keySources } from './agent-keys.ts';

const io = () => fakeIo({ env: { KEY: 'k1', EMPTY: '' }, files: { '/home/test/key.txt': 'k2\n', '/bad': 'a\u0000b' } });

test('a key goes to its origin and to no other', async () => {
  const keys = await keySources(['api.test=KEY', 'http://plain.test:8000=KEY'], ['api.test:8443=key.txt'], io());
  const at = (url: string) => keys(new URL(url));
  expect(at('https://api.test/v1')).toEqual({ key: 'k1' });
  expect(at('https://api.test:8443/')).toEqual({ key: 'k2' });
  expect(at('http://plain.test:8000/x')).toEqual({ key: 'k1' });
  for (const url of [
    'http://api.test/',
    'https://plain.test:8000/',
    'https://api.test.evil.test/',
    'https://api.test:444/',
  ])
    expect(at(url), url).toMatchObject({ why: expect.stringContaining('no API key for') });
});

test('every mistake is told', async () => {
  const mistakes = keySources(
    ['nothing', 'api.test=', 'api.test=EMPTY', 'api.test=NONE', 'a b=KEY'],
    ['api.test=/none', 'api.test=/bad'],
    io(),
  );
  await expect(mistakes).rejects.toThrow(
    [
      '--key: found a text that is not shown; allowed: ORIGIN=ENV',
      '--key: found a text that is not shown; allowed: ORIGIN=ENV',
      '--key: EMPTY holds no key',
      '--key: NONE holds no key',
      '--key: found a text that is not shown; allowed: ORIGIN=ENV',
      '--key-file: /none holds no key',
      '--key-file: /bad holds no key',
    ].join('\n'),
  );
});
