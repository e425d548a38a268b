import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Family, formatAddress } from '../../src/model/cidr.ts';
import { hasPacket, partsOfService, protocols } from '../../src/secure/policy/box.ts';
import { families, permitsAt, type PolicyMeaning } from '../../src/secure/policy/policy.ts';
import { randomPolicy } from '../../src/secure/policy/random-policy.case.ts';
import { sizeOf, everyAddress, type Ranges } from '../../src/secure/policy/ranges.ts';
import { policyTargets } from '../../src/secure/policy/targets.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { program } from '../fixtures/cli.ts';

/** The truth is what the kernel does: two namespaces, the rules as they are emitted, and connections from corners of the policy's boxes. */

const isRoot = process.getuid?.() === 0;
const unshare: [string, string] = ['unshare', isRoot ? '-n' : '-rn'];
const works = ([command, ...words]: [string, ...string[]]) => spawnSync(command, words).status === 0;
const canLoad = works([
  ...unshare,
  'sh',
  '-c',
  'ip link add c type veth peer name s && nft -c "add table inet x" && iptables -L -n && ip6tables -L -n',
]);
const folder = mkdtempSync(join(tmpdir(), 'inferpath-policy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const offset = { 4: 1n << 16n, 6: 1n << 80n };
const sources = { 4: '10.0.0.0/16', 6: '2001:db8::/48' };
const destinations = { 4: '10.1.0.0/16', 6: '2001:db8:1::/48' };

/** Destinations are moved out of the network of the sources, because a namespace cannot send to what is its own. */
function apart(meaning: PolicyMeaning): PolicyMeaning {
  const moved = (ranges: Ranges, family: Family): Ranges =>
    sizeOf(ranges) === sizeOf(everyAddress[family])
      ? ranges
      : ranges.map(([first, last]) => [first + offset[family], last + offset[family]] as const);
  const of = (family: Family, boxes: PolicyMeaning['lines'][number]['boxes']) =>
    boxes[family].map((box) => ({ ...box, dst: moved(box.dst, family) }));
  return {
    ...meaning,
    lines: meaning.lines.map((line) => ({ ...line, boxes: { 4: of(4, line.boxes), 6: of(6, line.boxes) } })),
  };
}

interface Point {
  words: [src: string, dst: string, port: number];
  expected: 'a' | 'd';
}

/** Corners of boxes and one step beyond; where a side is everything, and now and then anyhow, any value. */
function pointsOf(meaning: PolicyMeaning, family: Family, count: number, random: () => number): Point[] {
  const permits = permitsAt(meaning, 'inbound', family);
  const boxes = permits.map(({ box }) => box);
  const base = { 4: 10n << 24n, 6: 0x20010db8n << 96n }[family];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const near = (ranges: Ranges, from: bigint): bigint[] =>
    ranges.flatMap(([first, last]) => [first - 1n, first, last, last + 1n]).filter((v) => v > from && v < from + 4096n);
  const src = [...new Set(boxes.flatMap((box) => near(box.src, base)))];
  const dst = [...new Set(boxes.flatMap((box) => near(box.dst, base + offset[family])))];
  const ports = boxes
    .flatMap((box) => box.service.flatMap(([first, last]) => [first - 1n, first, last, last + 1n]))
    .map(partsOfService)
    .filter(({ protocol, low }) => protocol === protocols.tcp && low > 0)
    .map(({ low }) => low);
  return Array.from({ length: count }, () => {
    const from = src.length > 0 && random() < 0.9 ? pick(src) : base + 1n + BigInt(Math.floor(random() * 2000));
    const to =
      dst.length > 0 && random() < 0.9 ? pick(dst) : base + offset[family] + 1n + BigInt(Math.floor(random() * 2000));
    const port = ports.length > 0 && random() < 0.9 ? pick(ports) : 1 + Math.floor(random() * 65_535);
    const packet = { family, src: from, dst: to, service: (6n << 16n) | BigInt(port) };
    const expected = permits.some(({ box }) => hasPacket(box, packet)) ? 'a' : 'd';
    return { words: [formatAddress(family, from), formatAddress(family, to), port], expected };
  });
}

/** What the kernel answers to each point, with the rules loaded twice: loading is idempotent. */
function kernelAnswers(load: string, points: readonly Point[]): string {
  const file = join(folder, 'points.json');
  writeFileSync(file, JSON.stringify(points.map(({ words }) => words)));
  const probe = fileURLToPath(new URL('policy-connects.ts', import.meta.url));
  const quiet =
    'sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1';
  const script = [
    'set -e',
    'unshare -n sleep 120 & server=$!',
    'trap "kill $server" EXIT',
    'while [ "$(readlink /proc/$server/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done',
    `there() { nsenter -t $server -n "$@"; }`,
    'ip link add c type veth peer name s netns $server',
    'for side in "" there; do $side ip link set lo up; done',
    `${quiet}; there ${quiet}; there sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=100000 2>/dev/null || true`,
    'ip addr add 192.168.77.1/30 dev c; ip addr add fd77::1/64 dev c nodad; ip link set c up',
    'there ip addr add 192.168.77.2/30 dev s; there ip addr add fd77::2/64 dev s nodad; there ip link set s up',
    ...families.flatMap((family) => {
      const gateway = (host: number) => (family === 4 ? `192.168.77.${host}` : `fd77::${host}`);
      return [
        `ip -${family} route add local ${sources[family]} dev lo; ip -${family} route add ${destinations[family]} via ${gateway(2)}`,
        `there ip -${family} route add local ${destinations[family]} dev lo; there ip -${family} route add ${sources[family]} via ${gateway(1)}`,
      ];
    }),
    // Link-local addresses are not ready before: duplicate address detection.
    'sleep 2',
    `there ${load}; there ${load}`,
    `"${process.execPath}" ${program.slice(0, 2).join(' ')} "${probe}" "${file}"`,
  ].join('\n');
  const [command, ...words] = [...unshare, 'sh', '-c', script];
  const { stdout, stderr, status } = spawnSync(command, words, { encoding: 'utf8', timeout: 90_000 });
  expect(status, stderr).toBe(0);
  return stdout;
}

const perFamily = 2600;

// In CI what is missing is the failure.
describe.skipIf(!canLoad && process.env['CI'] !== 'true')(
  `the kernel decides as the policy says${canLoad ? '' : ' (needs nft, iptables and network namespaces)'}`,
  () => {
    test.each(['nftables', 'iptables'] as const)(
      `%s: ${2 * perFamily} connections of IPv4 and IPv6, no mismatch`,
      (target) => {
        const random = seededRandom(target === 'nftables' ? 77 : 78);
        const meaning = apart(randomPolicy({ random, lines: 24, spread: 'dense', enforce: ['inbound'] }));
        const file = join(folder, target);
        writeFileSync(file, policyTargets[target](meaning, { deny: 'reject', source: 'x' }));
        const points = families.flatMap((family) => pointsOf(meaning, family, perFamily, random));
        const answers = kernelAnswers(target === 'nftables' ? `nft -f ${file}` : `sh ${file}`, points);
        expect(answers).toHaveLength(points.length);
        const wrong = points.flatMap(({ words, expected }, i) =>
          answers[i] === expected ? [] : [`${words.join(' ')}: ${answers[i]}, and not ${expected}`],
        );
        expect(wrong.slice(0, 5)).toEqual([]);
        // A test of nothing but denials would show little.
        for (const letter of ['a', 'd'] as const)
          expect(points.filter(({ expected }) => expected === letter).length).toBeGreaterThan(points.length / 10);
      },
      120_000,
    );
  },
);
