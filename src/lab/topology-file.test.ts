import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTopology, TopologyError } from './topology-file.ts';

function problems(text: string): readonly string[] {
  try {
    readTopology(text, 'lab.yaml');
    return [];
  } catch (error) {
    if (error instanceof TopologyError) return error.problems;
    throw error;
  }
}

const HOST_A = 'hosts: [{name: a}, {name: b}]\n';

const mistakes: [what: string, text: string, expected: string[]][] = [
  ['nothing', '', ['lab.yaml:1:1: topology: found null; wanted object']],
  ['no hosts', 'seed: 3\n', ['lab.yaml:1:1: hosts: missing; wanted array']],
  [
    'an unknown key',
    `${HOST_A}nodes: []\n`,
    ['lab.yaml:2:1: nodes: unknown key; allowed here: seed, hosts, routers, links, interfaces, timeline'],
  ],
  [
    'a bad name',
    'hosts: [{name: Bad Name}]\n',
    [
      'lab.yaml:1:10: hosts[0].name: found "Bad Name"; wanted a name of lower-case letters, digits and hyphens that starts with a letter, at most 32',
    ],
  ],
  [
    'a name twice',
    'hosts:\n  - name: a\n  - name: a\n',
    ['lab.yaml:3:5: hosts[1].name: "a" is taken; every host and router needs its own name'],
  ],
  [
    'a host called like a router',
    'hosts: [{name: a}]\nrouters:\n  - name: a\n',
    ['lab.yaml:3:5: routers[0].name: "a" is taken; every host and router needs its own name'],
  ],
  [
    'an address that is none',
    'hosts:\n  - name: a\n    addresses: [10.0.0.300]\n',
    [
      'lab.yaml:3:17: hosts[0].addresses[0]: found "10.0.0.300"; wanted a unicast IPv4 or IPv6 address, neither loopback nor link-local',
    ],
  ],
  [
    'a loopback address',
    'hosts:\n  - name: a\n    addresses: [127.0.0.1]\n',
    [
      'lab.yaml:3:17: hosts[0].addresses[0]: found "127.0.0.1"; wanted a unicast IPv4 or IPv6 address, neither loopback nor link-local',
    ],
  ],
  [
    'an address of a link that a node has',
    'hosts: [{name: a, addresses: [192.0.2.1]}, {name: b}]\nrouters: [{name: r}]\nlinks:\n  - {a: r, b: a, aAddresses: [192.0.2.1]}\n  - {a: r, b: b}\n',
    ['lab.yaml:4:31: links[0].aAddresses[0]: 192.0.2.1 belongs to "a" already'],
  ],
  [
    'a change of a link that is not there',
    'hosts: [{name: a}, {name: b}]\nlinks: [{a: a, b: b}]\ntimeline:\n  - {atMs: 1, link: [a, c], set: {down: true}}\n  - {atMs: 1, router: r, set: {down: true}}\n',
    [
      'lab.yaml:4:15: timeline[0].link: there is no link between "a" and "c"',
      'lab.yaml:5:15: timeline[1].router: there is no link of "r"',
    ],
  ],
  [
    'a change of nothing',
    'hosts: [{name: a}]\ntimeline:\n  - {atMs: 1, set: {down: true}}\n',
    ['lab.yaml:3:5: timeline[0]: found {"atMs":1,"set":{"down":true}}; wanted either link or router'],
  ],
  [
    'addresses of a link for a host',
    'hosts: [{name: a}, {name: b}]\nlinks:\n  - {a: a, b: b, bAddresses: [192.0.2.1]}\n',
    ['lab.yaml:3:18: links[0].bAddresses: "b" is a host: its addresses belong to the host, not to a link'],
  ],
  [
    'translation towards somebody far',
    'hosts: [{name: a}, {name: b}]\nrouters:\n  - name: r\n    nat: {outside: b}\nlinks:\n  - {a: a, b: r}\n',
    ['lab.yaml:4:11: routers[0].nat.outside: "b" is no neighbour of "r"; there are a'],
  ],
  [
    'an address twice, written differently',
    'hosts:\n  - {name: a, addresses: ["fd00::1"]}\n  - {name: b, addresses: ["FD00:0::1"]}\n',
    ['lab.yaml:3:27: hosts[1].addresses[0]: FD00:0::1 belongs to "a" already'],
  ],
  [
    'a link to nowhere',
    `${HOST_A}links:\n  - a: a\n    b: z\n`,
    ['lab.yaml:4:5: links[0].b: no host or router is named "z"; there are a, b'],
  ],
  [
    'a link to itself',
    `${HOST_A}links:\n  - a: a\n    b: a\n`,
    ['lab.yaml:4:5: links[0].b: a link needs two different ends, found "a" twice'],
  ],
  [
    'a negative delay',
    `${HOST_A}links: [{a: a, b: b, delayMs: -1}]\n`,
    ['lab.yaml:2:22: links[0].delayMs: found -1; wanted number >=0'],
  ],
  [
    'text for a number',
    `${HOST_A}links: [{a: a, b: b, delayMs: 10ms}]\n`,
    ['lab.yaml:2:22: links[0].delayMs: found "10ms"; wanted number'],
  ],
  [
    'percent for a ratio',
    `${HOST_A}links: [{a: a, b: b, loss: 2}]\n`,
    ['lab.yaml:2:22: links[0].loss: found 2; wanted number <=1'],
  ],
  [
    'a loss that is neither',
    `${HOST_A}links: [{a: a, b: b, loss: high}]\n`,
    ['lab.yaml:2:22: links[0].loss: found "high"; wanted a ratio from 0 to 1 or {ratio, meanBurst}'],
  ],
  [
    'an impossible burst',
    `${HOST_A}links: [{a: a, b: b, loss: {ratio: 0.9, meanBurst: 2}}]\n`,
    [
      'lab.yaml:2:22: links[0].loss: found {"ratio":0.9,"meanBurst":2}; wanted meanBurst of at least ratio / (1 - ratio)',
    ],
  ],
  [
    'both queue units',
    `${HOST_A}links: [{a: a, b: b, ab: {queueMs: 3, queuePackets: 3}}]\n`,
    ['lab.yaml:2:27: links[0].ab.queueMs: either queuePackets or queueMs, found both'],
  ],
  [
    'a small MTU',
    `${HOST_A}links: [{a: a, b: b, mtu: 576}]\n`,
    ['lab.yaml:2:22: links[0].mtu: found 576; wanted number >=1280'],
  ],
  [
    'an ICMP setting that is none',
    'hosts: [{name: a}]\nrouters: [{name: r, icmp: sometimes}]\n',
    ['lab.yaml:2:21: routers[0].icmp: found "sometimes"; wanted true, false or {perSecond, burst}'],
  ],
  [
    'a port without a command',
    'hosts: [{name: a, readyPort: 80}]\n',
    ['lab.yaml:1:19: hosts[0].readyPort: readyPort needs a command to belong to'],
  ],
  [
    'several mistakes',
    'seed: x\nhosts: [{name: a, colour: red}]\n',
    [
      'lab.yaml:1:1: seed: found "x"; wanted number',
      'lab.yaml:2:19: hosts[0].colour: unknown key; allowed here: name, addresses, command, env, readyPort',
    ],
  ],
];

describe('readTopology() names file, line, column and key of', () => {
  test.each(mistakes)('%s', (_what, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('broken YAML', () => {
    expect(problems('hosts: [\n')[0]).toMatch(/^lab\.yaml:\d+:\d+: /);
    expect(problems('a: 1\na: 2\n')[0]).toMatch(/^lab\.yaml:2:1: .*unique/);
  });

  test('an alias bomb and a file that is too long', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`),
    ];
    expect(problems(bomb.join('\n'))[0]).toMatch(/alias/);
    expect(problems('#'.repeat(1_000_001))[0]).toMatch(/at most 1000000/);
  });
});

test('readTopology() never throws anything but TopologyError', () => {
  fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 200 }), fc.json()), (text) => problems(text).length >= 0));
});

test.each(['two-sites', 'trouble'])('the example %s is a topology', (name) => {
  const text = readFileSync(new URL(`../../examples/labs/${name}.yaml`, import.meta.url), 'utf8');
  expect(readTopology(text, name).hosts.length).toBeGreaterThan(1);
});
