import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secureTlsReport, type SecureTlsReport, type TlsEndpointReport } from '../../src/model/secure/tls.ts';
import { selfSignedCertificate } from '../fixtures/certificate.ts';
import { program } from '../fixtures/programs.ts';
import { NOBODY } from './nobody.ts';

/**
 * client ─ r1 ─ r2 ─ r3 ─ server, all of the kernel, with a rule per port that does not bear some ClientHello: at a known place, in a
 * known way. What `secure tls` says of the place is held against it.
 */

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const unshare: [string, string] = ['unshare', isRoot ? '-n' : '-rn'];
const works = ([command = '', ...words]: readonly string[]) => spawnSync(command, words).status === 0;
const canRun = works([...unshare, 'sh', '-c', 'ip link add c type veth peer name s && nft -c "add table inet x"']);
const canBeNobody = works([...NOBODY, 'true']);
if (!canRun)
  process.stderr.write(
    'tests of middleboxes in namespaces are skipped: apt-get install nftables iproute2, and a kernel that lets\n',
  );

const folder = mkdtempSync(join(tmpdir(), 'inferpath-tls-hop-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const port = { large: 8441, reset: 8442, second: 8443, early: 8444, server: 8445, clean: 8446 };
type Case = keyof typeof port;

/** Longer than a small ClientHello and all else that a client sends, shorter than a large one's first segment. */
const isLarge = 'meta length > 700';
/** The first octet behind a TCP header with timestamps is that of no record: the rest of one that began in another segment. */
const isRest = 'meta length > 100 @th,256,8 != { 0x14, 0x16 }';
const rules = {
  r1: `chain early { type filter hook prerouting priority 0; tcp dport ${port.early} ${isLarge} drop; }`,
  r2: `chain deep { type filter hook forward priority 0; tcp dport ${port.large} ${isLarge} drop; tcp dport ${port.reset} ${isLarge} reject with tcp reset; tcp dport ${port.second} ${isRest} drop; }`,
  server: `chain own { type filter hook input priority 0; tcp dport ${port.server} ${isLarge} drop; }`,
};
const serve = `const tls = require('node:tls');
const options = JSON.parse(require('node:fs').readFileSync(process.argv[1], 'utf8'));
for (const port of ${JSON.stringify(Object.values(port))})
  tls.createServer(options, (s) => s.end()).on('tlsClientError', () => {}).listen(port, '::');`;

const sides = ['r1', 'r2', 'r3', 'server'] as const;
const link = (net: number, near: string, far: string) => [
  `${near} ip link add a${net} type veth peer name b${net} netns $${far}; ${near} ip link set a${net} up; ${far} ip link set b${net} up`,
  `${near} ip addr add 10.77.${net}.1/24 dev a${net}; ${far} ip addr add 10.77.${net}.2/24 dev b${net}`,
  `${near} ip addr add fd77:${net}::1/64 dev a${net} nodad; ${far} ip addr add fd77:${net}::2/64 dev b${net} nodad`,
];
const route = (side: string, towards: string, net: number, end: 1 | 2) => {
  const [v4, v6] = towards === 'default' ? ['default', 'default'] : [`10.77.${towards}.0/24`, `fd77:${towards}::/64`];
  return `${side} ip route add ${v4} via 10.77.${net}.${end}; ${side} ip -6 route add ${v6} via fd77:${net}::${end}`;
};
const topology = [
  'set -e',
  ...sides.map((side) => `unshare -n sleep 120 & ${side}=$!`),
  'trap "kill $r1 $r2 $r3 $server" EXIT',
  'here=$(readlink /proc/self/ns/net)',
  'for one in $r1 $r2 $r3 $server; do while [ "$(readlink /proc/$one/ns/net)" = "$here" ]; do sleep 0.05; done; done',
  'client() { "$@"; }',
  ...sides.map((side) => `${side}() { nsenter -t $${side} -n "$@"; }`),
  'for side in client r1 r2 r3 server; do $side ip link set lo up; $side sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0; done',
  ...link(1, 'client', 'r1'),
  ...link(2, 'r1', 'r2'),
  ...link(3, 'r2', 'r3'),
  ...link(4, 'r3', 'server'),
  route('client', 'default', 1, 2),
  route('r1', 'default', 2, 2),
  route('r2', 'default', 3, 2),
  route('r2', '1', 2, 1),
  route('r3', 'default', 3, 1),
  route('server', 'default', 4, 1),
  ...Object.entries(rules).map(([side, chain]) => `${side} nft 'table inet box {\n${chain}\n}'`),
  // No function: what is killed has to be Node itself.
  'nsenter -t $server -n "$NODE" -e "$SERVE" "$FOLDER/tls.json" & served=$!',
  'trap "kill $served $r1 $r2 $r3 $server" EXIT',
  `i=0; until server sh -c "ss -Hltn | grep -q :${port.clean}"; do i=$((i + 1)); [ $i -lt 200 ]; sleep 0.1; done`,
];

const target = (name: Case, family: 4 | 6) => (family === 4 ? `10.77.4.2:${port[name]}` : `[fd77:4::2]:${port[name]}`);

describe.skipIf(!canRun && process.env['CI'] !== 'true')('the hop at which a ClientHello dies', () => {
  let all: SecureTlsReport;
  let byNobody: SecureTlsReport | null = null;

  beforeAll(async () => {
    const { cert, key } = selfSignedCertificate(['server.test'], Date.now());
    writeFileSync(join(folder, 'tls.json'), JSON.stringify({ cert, key, ecdhCurve: 'X25519' }));
    const command = `"$NODE" ${program.map((word) => `"${word}"`).join(' ')} secure tls --json --timeout 0.7 --gap 20 --rate 1000`;
    const four = (Object.keys(port) as Case[]).map((name) => target(name, 4)).join(' ');
    const script = [
      ...topology,
      `${command} ${four} ${target('large', 6)} ${target('second', 6)} > "$FOLDER/all.json" || [ $? = 1 ]`,
      ...(canBeNobody
        ? [`${NOBODY.join(' ')} ${command} ${target('large', 4)} > "$FOLDER/nobody.json" || [ $? = 1 ]`]
        : []),
    ];
    const env = { ...process.env, NODE: process.execPath, SERVE: serve, FOLDER: folder };
    await run(unshare[0], [unshare[1], 'bash', '-c', script.join('\n')], { env, cwd: process.cwd() });
    const read = (name: string) => secureTlsReport.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    all = read('all.json');
    if (canBeNobody) byNobody = read('nobody.json');
  }, 120_000);

  const of = (report: SecureTlsReport, name: Case, family: 4 | 6): TlsEndpointReport =>
    report.endpoints.find((one) => one.name === target(name, family))!;
  const hop = (n: number, family: 4 | 6) => (family === 4 ? `10.77.${n}.2` : `fd77:${n}::2`);

  test.each<[Case, 4 | 6, string, object]>([
    ['large', 4, 'large-hello', { kind: 'between', afterTtl: 2, beforeTtl: 3, confidence: 'high' }],
    ['large', 6, 'large-hello', { kind: 'between', afterTtl: 2, beforeTtl: 3, confidence: 'high' }],
    ['reset', 4, 'large-hello', { kind: 'between', afterTtl: 2, beforeTtl: 3, confidence: 'high' }],
    ['second', 4, 'first-read-only', { kind: 'between', afterTtl: 2, beforeTtl: 3, confidence: 'high' }],
    ['second', 6, 'first-read-only', { kind: 'between', afterTtl: 2, beforeTtl: 3, confidence: 'high' }],
    ['early', 4, 'large-hello', { kind: 'between', afterTtl: 0, beforeTtl: 1, confidence: 'high' }],
    ['server', 4, 'large-hello', { kind: 'at-the-server', afterTtl: 3, beforeTtl: 4, confidence: 'high' }],
  ])('%s over IPv%i', (name, family, diagnosis, place) => {
    const { path, survey } = of(all, name, family);
    expect(survey.location, JSON.stringify(path, null, 1)).toMatchObject(place);
    const { afterTtl, beforeTtl, afterAddress, beforeAddress, hops } = survey.location!;
    expect(afterAddress).toBe(afterTtl === 0 ? null : hop(afterTtl!, family));
    expect(beforeAddress).toBe(hop(beforeTtl!, family));
    expect(hops).toEqual([1, 2, 3].map((ttl) => ({ ttl, address: hop(ttl, family) })));
    expect(path.diagnosis.kind).toBe(diagnosis);
    expect(path.diagnosis.place).toContain(beforeAddress);
  });

  test('a reset is told from silence', () => {
    expect(of(all, 'reset', 4).survey.location!.why).toContain('a reset comes back');
    expect(of(all, 'large', 4).survey.location!.why).toContain('nothing comes back');
  });

  test('where nothing dies, nothing is looked for', () => {
    expect(of(all, 'clean', 4)).toMatchObject({ path: { diagnosis: { kind: 'clean' } }, survey: { location: null } });
  });

  test.skipIf(!canBeNobody)('without privilege, the same', () => {
    const [location, reference] = [of(byNobody!, 'large', 4), of(all, 'large', 4)].map(
      ({ survey }) => survey.location!,
    );
    const { connections: _, ...rest } = reference!;
    expect(location).toMatchObject(rest);
  });
});
