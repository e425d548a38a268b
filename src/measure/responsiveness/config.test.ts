import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTestConfig } from './config.ts';

const asked = new URL('https://nq.example.com/.well-known/nq');
const config = (urls: object) => JSON.stringify({ version: 1, urls });
const good = {
  small_download_url: 'https://nq.example.com/small',
  large_download_url: 'https://nq.example.com/large?x=1',
  upload_url: '/slurp',
};

describe('readTestConfig()', () => {
  test('reads the names of the draft, and those of older servers', () => {
    const { small, large, upload } = readTestConfig(config(good), asked, []);
    expect([small.href, large.href, upload.href]).toEqual([
      'https://nq.example.com/small',
      'https://nq.example.com/large?x=1',
      'https://nq.example.com/slurp',
    ]);
    const older = { small_https_download_url: '/s', large_https_download_url: '/l', https_upload_url: '/u' };
    expect(readTestConfig(config(older), asked, []).upload.pathname).toBe('/u');
  });

  test.each([
    ['not json', 'is no JSON'],
    ['{"urls":{}}', 'another shape'],
    [config({ ...good, upload_url: undefined }), 'names no upload URL'],
    [config({ ...good, upload_url: 'http://nq.example.com/u' }), 'not https'],
    [config({ ...good, upload_url: 'https://127.0.0.1/u' }), '--allow-host'],
    [config({ ...good, upload_url: 'https://nq.example.com:8443/u' }), '--allow-host'],
    [config({ ...good, upload_url: 'https://[' }), 'is none'],
  ])('refuses %s', (json, why) => {
    expect(() => readTestConfig(json, asked, [])).toThrow(why);
  });

  test('goes to another host only when the user allows it, and then with all of them', () => {
    const elsewhere = Object.fromEntries(Object.keys(good).map((key) => [key, `https://cdn.example.net/${key}`]));
    expect(readTestConfig(config(elsewhere), asked, ['cdn.example.net']).small.host).toBe('cdn.example.net');
    const mixed = { ...good, upload_url: 'https://cdn.example.net/u' };
    expect(() => readTestConfig(config(mixed), asked, ['cdn.example.net'])).toThrow('different origins');
  });

  test('whatever a server says, it is refused with a reason or leads nowhere else', () => {
    const text = fc.oneof(
      fc.webUrl(),
      fc.string(),
      fc.constantFrom('/x', 'https://nq.example.com/y', '//evil.example'),
    );
    const urls = fc.record({ small_download_url: text, large_download_url: text, upload_url: text });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), urls.map(config)), (json) => {
        try {
          for (const url of Object.values(readTestConfig(json, asked, [])))
            expect((url as URL).origin).toBe('https://nq.example.com');
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
