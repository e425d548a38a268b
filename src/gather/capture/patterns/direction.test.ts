import { describe, expect, test } from 'vitest';
import { network } from '../../../model/network.ts';
import { directions, readSitePrefix, sitePrefixes, type SitePrefix } from './direction.ts';
import { endsOf } from './ends.ts';

function placed(prefixes: readonly SitePrefix[], client: string, server: string) {
  const { bytes, clientAt, serverAt, version } = endsOf(client, server)!;
  const all = directions(prefixes);
  const ends = all.place(bytes, clientAt, serverAt, version, { client: -1, server: -1, direction: 'transit' });
  return [ends.direction, all.label(ends.client), all.label(ends.server)];
}

const file = network.parse({
  version: 1,
  sites: [{ name: 'fra', role: 'dc', cidrs: ['203.0.113.0/24'] }],
  endpoints: [
    { name: 'chat', url: 'https://198.51.100.7/v1', site: 'fra' },
    { name: 'far', url: 'https://198.51.100.8/v1' },
  ],
  security: {
    ranges: [
      { cidr: '203.0.113.128/25', public: true },
      { cidr: '192.0.2.0/24', public: true },
    ],
  },
});

describe('directions', () => {
  test('private addresses are inside without a word from anybody', () => {
    const none = sitePrefixes(null);
    expect(placed(none, '10.1.1.1', '192.168.0.1')).toEqual(['east-west', '10.0.0.0/8', '192.168.0.0/16']);
    expect(placed(none, '100.64.0.1', '172.32.0.1')).toEqual(['north-south', '100.64.0.0/10', 'outside']);
    expect(placed(none, '8.8.8.8', '9.9.9.9')).toEqual(['transit', 'outside', 'outside']);
    expect(placed(none, 'fd12::1', 'fe80::1')).toEqual(['east-west', 'fc00::/7', 'fe80::/10']);
    expect(placed(none, '127.0.0.1', '169.254.1.1')[0]).toBe('east-west');
    expect(placed(none, '2001:db8::1', 'fd12::1')[0]).toBe('north-south');
  });

  test('a group of receivers is where its sender is', () => {
    const none = sitePrefixes(null);
    expect(placed(none, '10.1.1.1', '239.1.1.1')).toEqual(['east-west', '10.0.0.0/8', '10.0.0.0/8']);
    expect(placed(none, '8.8.8.8', '224.0.0.1')[0]).toBe('transit');
    expect(placed(none, 'fe80::1', 'ff02::fb')[0]).toBe('east-west');
  });

  test('the network file names sites, by their networks and by the addresses of their endpoints', () => {
    const prefixes = sitePrefixes(file);
    expect(placed(prefixes, '203.0.113.9', '198.51.100.7')).toEqual(['east-west', 'fra', 'fra']);
    // A range of security inside a site is part of it; one that stands alone is inside without a name.
    expect(placed(prefixes, '203.0.113.200', '192.0.2.1')).toEqual(['east-west', 'fra', '192.0.2.0/24']);
    // An endpoint without a site may be anybody's.
    expect(placed(prefixes, '203.0.113.9', '198.51.100.8')).toEqual(['north-south', 'fra', 'outside']);
  });

  test('a flag wins over the file where both name the same network', () => {
    const flag = readSitePrefix('lab=203.0.113.0/24') as SitePrefix;
    expect(placed(sitePrefixes(file, [flag]), '203.0.113.9', '8.8.8.8')).toEqual(['north-south', 'lab', 'outside']);
  });
});

describe('readSitePrefix', () => {
  test.each([
    ['10.0.0.0/33', /network like/],
    ['10.0.0.1/8', /bits beyond/],
    ['Ber lin=10.0.0.0/8', /its site must be/],
    ['=10.0.0.0/8', /its site must be/],
    ['', /network like/],
  ])('says what is wrong with %j', (text, wrong) => {
    expect(readSitePrefix(text)).toMatch(wrong);
  });

  test('takes a network, or a site with its network', () => {
    expect(readSitePrefix('2001:db8::/32')).toMatchObject({ site: null, cidr: { family: 6, length: 32 } });
    expect(readSitePrefix('ber=10.0.0.0/8')).toMatchObject({ site: 'ber', cidr: { length: 8 } });
  });
});
