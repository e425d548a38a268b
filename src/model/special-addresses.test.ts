import fc from 'fast-check';
import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Cidr, formatAddress, parseAddress, parseCidr } from './cidr.ts';
import { innerIpv4, isLoopback, isPublic, neverAsked, neverSent, rangeOf, unmapped } from './special-addresses.ts';

describe('what may be asked', () => {
  const of = (text: string): Cidr => parseCidr(text)!;

  test.each([
    '169.254.169.254',
    '169.0.0.0/8',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    'fe80::1',
    'fd00:ec2::254',
    'fd00::/8',
    '::',
    '::/0',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a9fe:a9fe',
    '2002:7f00:1::',
    '100.100.100.200',
    '100.64.0.0/10',
    '168.63.129.16',
  ])('%s never is', (text) => expect(neverAsked(of(text))).not.toBeNull());

  test.each(['127.0.0.1', '::1', '10.0.0.0/8', '192.168.1.0/24', 'fd12::/16', '8.8.8.8', '2600::1'])(
    '%s is, where it is the user’s',
    (text) => expect(neverAsked(of(text))).toBeNull(),
  );

  test('a range that holds one public address is public', () => {
    for (const text of ['8.8.8.8', '10.0.0.0/7', '172.16.0.0/11', '2600::/32', 'fc00::/6', '0.0.0.0/0'])
      expect(isPublic(of(text)), text).toBe(true);
    for (const text of [
      '10.0.0.0/8',
      '10.5.0.0/16',
      '172.31.0.0/16',
      '127.0.0.1',
      '::1',
      'fd00::/8',
      '192.168.0.0/16',
      '100.64.0.0/10',
    ])
      expect(isPublic(of(text)), text).toBe(false);
  });
});

test('of an address that carries an IPv4 address, that one counts', () => {
  const of = (text: string) => rangeOf(parseAddress(text)!);
  const inner = (text: string) => {
    const found = innerIpv4(of(text));
    return found === null ? null : formatAddress(4, found.first);
  };
  for (const text of ['::ffff:10.1.2.3', '::10.1.2.3', '64:ff9b::10.1.2.3', '64:ff9b:1::a01:203', '2002:a01:203::1'])
    expect([text, inner(text), isPublic(of(text))]).toEqual([text, '10.1.2.3', false]);
  for (const text of ['::1', '::', '2001:db8::1', 'fd00::1', '10.0.0.1']) expect(inner(text), text).toBeNull();
  expect(isPublic(of('2002:808:808::1'))).toBe(true);
  expect(isLoopback(of('::ffff:127.0.0.9'))).toBe(true);
  expect(isLoopback(of('64:ff9b::8.8.8.8'))).toBe(false);
  // Only the mapped form is the same destination for a socket.
  expect(unmapped(of('::ffff:10.0.0.1')).family).toBe(4);
  expect(unmapped(of('64:ff9b::10.0.0.1')).family).toBe(6);
});

test('which IPv4 addresses are never sent to, held against the block list of Node', () => {
  const list = new BlockList();
  for (const cidr of [
    '0.0.0.0/8',
    '169.254.0.0/16',
    '224.0.0.0/4',
    '240.0.0.0/4',
    '100.100.100.200/32',
    '168.63.129.16/32',
    '192.0.0.192/32',
  ]) {
    const [address = '', length = ''] = cidr.split('/');
    list.addSubnet(address, Number(length), 'ipv4');
  }
  const near = fc.constantFrom(
    '100.100.100.200',
    '100.100.100.199',
    '168.63.129.16',
    '169.253.255.255',
    '192.0.0.192',
    '223.255.255.255',
  );
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), near), (text) => {
      expect(neverSent(rangeOf(parseAddress(text)!)) !== null).toBe(list.check(text, 'ipv4'));
    }),
  );
});
