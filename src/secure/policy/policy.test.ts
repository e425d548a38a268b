import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseAddress } from '../../model/cidr.ts';
import { network as networkFile } from '../../model/network.ts';
import { hasPacket, packetText, service } from './box.ts';
import { addressesOf, families, meaningOf, needed, permitsAt } from './policy.ts';
import { cidrTexts } from './ranges.ts';

const text = readFileSync(new URL('../../../examples/policy.yaml', import.meta.url), 'utf8');
const network = networkFile.parse(parse(text));
const meaning = meaningOf(network)!;

/** The lines that permit a packet inbound. */
function permitting(src: string, dst: string, protocol: number, low: number): string[] {
  const [from, to] = [parseAddress(src)!, parseAddress(dst)!];
  const packet = { family: from.family, src: from.value, dst: to.value, service: service(protocol, low) };
  return permitsAt(meaning, 'inbound', from.family)
    .filter(({ box }) => hasPacket(box, packet))
    .map(({ line }) => line);
}

describe('the meaning of examples/policy.yaml', () => {
  test.each([
    ['10.20.0.7', '10.40.8.11', 6, 8000, ['users-to-models']],
    ['2001:db8:20::7', '2001:db8:40:8::11', 6, 8000, ['users-to-models']],
    ['10.20.0.7', '10.40.8.12', 6, 8000, []],
    ['10.20.0.7', '10.40.8.12', 6, 11434, ['users-to-models']],
    ['10.20.0.7', '10.40.8.11', 17, 8000, []],
    ['10.20.99.7', '10.40.8.11', 6, 8000, []],
    ['10.40.1.63', '10.40.8.31', 6, 22, ['operators-to-servers']],
    ['10.40.1.64', '10.40.8.31', 6, 22, []],
    ['10.40.1.1', '10.40.8.11', 1, 8 * 256, ['operators-to-servers']],
    ['2001:db8:40:1::1', '2001:db8:40:8::11', 58, 128 * 256, ['operators-to-servers']],
    ['2001:db8:40:1::1', '2001:db8:40:8::11', 1, 8 * 256, []],
    ['10.40.8.11', '10.40.8.12', 6, 40_500, ['tensor-parallel']],
    ['10.40.8.11', '10.40.8.12', 6, 41_000, []],
    ['192.0.2.1', '10.40.8.12', 1, 3 * 256 + 4, ['needed-icmp']],
    ['192.0.2.1', '10.40.8.12', 1, 3 * 256 + 3, []],
    ['fe80::1', 'ff02::1', 58, 134 * 256, ['needed-icmp']],
  ])('%s → %s protocol %d %d is permitted by %j', (src, dst, protocol, low, lines) => {
    expect(permitting(src, dst, protocol, low)).toEqual(lines);
  });

  test('a group is its members without its exceptions, joined', () => {
    expect(cidrTexts(addressesOf('inference', network, network.policy!)[4], 4)).toEqual([
      '10.40.8.11',
      '10.40.8.12',
      '10.40.8.16/28',
    ]);
    expect(addressesOf('users', network, network.policy!)[4]).toHaveLength(2);
  });

  test('of one host: to it inbound, from it outbound, and neighbour discovery but no forwarding of it', () => {
    const self = addressesOf('chat', network, network.policy!);
    const permits = permitsAt(meaning, 'inbound', 4, self);
    expect(
      permits.every(({ line, box }) => line === 'needed-icmp' || cidrTexts(box.dst, 4).join() === '10.40.8.11'),
    ).toBe(true);
    expect(permitsAt(meaning, 'outbound', 6, self).map(({ line }) => line)).toEqual(['needed-icmp', 'tensor-parallel']);
    const lows = families.map((family) => needed('forward', family).map(({ service: s }) => s.length));
    expect(lows).toEqual([[2], [1]]);
  });
});

test('a packet is told as an engineer would', () => {
  const of = (family: 4 | 6, protocol: number, low: number) =>
    packetText({ family, src: 1n, dst: 2n, service: service(protocol, low) });
  expect(of(4, 6, 443)).toBe('0.0.0.1 → 0.0.0.2 tcp/443');
  expect(of(6, 58, 128 * 256)).toBe('::1 → ::2 icmpv6 type 128 code 0');
  expect(of(4, 1, 8 * 256 + 1)).toBe('0.0.0.1 → 0.0.0.2 icmp type 8 code 1');
  expect(of(4, 17, 53)).toBe('0.0.0.1 → 0.0.0.2 udp/53');
  expect(of(4, 47, 0)).toBe('0.0.0.1 → 0.0.0.2 protocol 47');
});
