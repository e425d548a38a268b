import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, parseAddress } from '../../../model/cidr.ts';
import { hasPacket, type Packet, protocols, service } from '../box.ts';
import type { PacketState } from '../program.ts';
import type { PolicyHook } from '../policy.ts';
import { prove } from '../prove.ts';
import { formOf, readRules } from '../targets.ts';
import { RulesetError } from './nft-rules.ts';

const table = (rules: string, family = 'inet', head = 'type filter hook input priority filter; policy drop;') =>
  `table ${family} t {\n  chain c {\n    ${head}\n    ${rules}\n  }\n}\n`;
const save = (rules: string, policy = 'DROP') =>
  `*filter\n:INPUT ${policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OWN - [0:0]\n${rules}\nCOMMIT\n`;

interface Asked {
  hook?: PolicyHook;
  state?: PacketState;
}

/** What rules do with one packet: accept, drop, or "open" where that was not understood. */
function fate(text: string, words: string, { hook = 'inbound', state = 'new' }: Asked = {}): string {
  const [src = '', dst = '', what = ''] = words.split(' ');
  const [from, to] = [parseAddress(src)!, parseAddress(dst)!];
  const [name = '', low = '0'] = what.split('/');
  const number = { ...protocols, gre: 47, sctp: 132 }[name] ?? 0;
  const packet: Packet = { family: from.family, src: from.value, dst: to.value, service: service(number, Number(low)) };
  const only = {
    src: [[packet.src, packet.src]],
    dst: [[packet.dst, packet.dst]],
    service: [[packet.service, packet.service]],
  } as const;
  const path = readRules(text, formOf(text)).firewall.pathAt(hook, packet.family, state);
  // All but this packet is cut off, so that the proof is about it alone.
  const guard = {
    name: 'g',
    policy: 'drop' as const,
    rules: [{ box: only, action: 'accept' as const, ref: { chain: 'g', text: '' } }],
  };
  const proof = prove({ hook, family: packet.family, path: [guard, ...path], permits: [{ line: 'l', box: only }] });
  expect(proof.verdict === 'refuted' ? hasPacket(only, (proof.missing ?? proof.extra)!.packet) : true).toBe(true);
  return { proved: 'accept', refuted: 'drop', 'not-proved': 'open' }[proof.verdict];
}

const v4 = '10.0.0.1 10.0.0.2 tcp/80';
const v6 = '2001:db8::1 2001:db8::2 tcp/80';

describe('nftables', () => {
  test.each([
    ['accept', v4, 'accept'],
    ['ip saddr 10.0.0.0/24 tcp dport { 22, 80 } accept', v4, 'accept'],
    ['ip saddr != 10.0.0.0/24 accept', v4, 'drop'],
    ['tcp dport != 80 accept', '10.0.0.1 10.0.0.2 udp/80', 'drop'],
    ['tcp dport 80-90 accept', v6, 'accept'],
    ['tcp dport > 79 accept', v4, 'accept'],
    ['tcp dport < 80 accept', v4, 'drop'],
    ['tcp dport http accept', v4, 'accept'],
    ['udp dport 80 accept', v4, 'drop'],
    ['meta l4proto { tcp, udp } th dport 80 accept', v4, 'accept'],
    ['th dport 80 accept', '10.0.0.1 10.0.0.2 udp/80', 'accept'],
    ['th dport 80 accept', '10.0.0.1 10.0.0.2 sctp/80', 'open'],
    // The bug of many a role: this is IPv4 alone.
    ['ip protocol tcp accept', v4, 'accept'],
    ['ip protocol tcp accept', v6, 'drop'],
    ['ip protocol != udp accept', v6, 'drop'],
    ['meta l4proto tcp accept', v6, 'accept'],
    ['ip6 nexthdr tcp accept', v6, 'open'],
    ['ip6 nexthdr udp accept', v6, 'drop'],
    ['ip6 nexthdr != udp accept', v6, 'open'],
    ['icmp type echo-request accept', '10.0.0.1 10.0.0.2 icmp/2048', 'accept'],
    ['icmp type 3 icmp code 4 accept', '10.0.0.1 10.0.0.2 icmp/772', 'accept'],
    ['icmp type 3 icmp code 4 accept', '10.0.0.1 10.0.0.2 icmp/771', 'drop'],
    ['icmpv6 type echo-request accept', '10.0.0.1 10.0.0.2 icmp/2048', 'drop'],
    ['icmpv6 type { nd-neighbor-solicit, 128 } accept', '2001:db8::1 2001:db8::2 icmpv6/32768', 'accept'],
    // Conntrack leaves neighbour discovery untracked: a rule for what is new does not let it in.
    ['ct state new accept', 'fe80::1 fe80::2 icmpv6/34560', 'drop'],
    ['ct state { new, untracked } accept', 'fe80::1 fe80::2 icmpv6/34560', 'accept'],
    // As the kernel does (test/lab/policy-kernel.test.ts): of ICMP, questions alone are new; what answers nothing is invalid.
    ['ct state new accept', '10.0.0.1 10.0.0.2 icmp/2048', 'accept'],
    ['ct state new accept', '10.0.0.1 10.0.0.2 icmp/768', 'drop'],
    ['ct state invalid accept', '10.0.0.1 10.0.0.2 icmp/768', 'accept'],
    ['ct state invalid accept', 'fe80::1 fe80::2 icmpv6/35072', 'accept'],
    ['ct state invalid accept', 'fe80::1 fe80::2 icmpv6/38656', 'open'],
    ['ct state untracked accept', 'fe80::1 fe80::2 icmpv6/38656', 'open'],
    ['ct state new accept', v6, 'accept'],
    ['ct state established,related accept', v4, 'drop'],
    ['ct state != invalid accept', v4, 'accept'],
    ['ct state vmap { established : accept, new : accept, invalid : drop }', v4, 'accept'],
    ['ct state vmap { established : accept, invalid : drop }', v4, 'drop'],
    ['tcp dport vmap { 22 : drop, 80 : jump d }\n  }\n  chain d {\n    ip saddr 10.0.0.1 accept', v4, 'accept'],
    ['tcp dport vmap { 22 : drop, 80 : jump d }\n  }\n  chain d {\n    ip saddr 10.0.0.1 return', v4, 'drop'],
    ['jump d\n    accept\n  }\n  chain d {\n    tcp dport 80 drop', v4, 'drop'],
    ['goto d\n    accept\n  }\n  chain d {\n    tcp dport 81 drop', v4, 'drop'],
    ['tcp dport 80 counter packets 1 bytes 60 log prefix "x" level warn accept', v4, 'accept'],
    ['tcp dport 80 limit rate 5/second burst 5 packets accept', v4, 'open'],
    ['iifname "lo" accept', v4, 'drop'],
    ['iifname "eth0" accept', v4, 'open'],
    ['iifname != "lo" accept', v4, 'accept'],
    ['tcp sport 80 accept', v4, 'open'],
    ['meta mark 1 accept', v4, 'open'],
    ['meta nfproto ipv6 accept', v4, 'drop'],
    ['tcp flags syn / fin,syn,rst,ack accept', v4, 'open'],
    ['queue num 0', v4, 'open'],
    ['tcp dport 80 reject with tcp reset', v4, 'drop'],
    [
      'ip saddr @peers accept\n  }\n  set peers {\n    type ipv4_addr\n    flags interval\n    elements = { 10.0.0.0/30,\n      10.9.0.1 }',
      v4,
      'accept',
    ],
    [
      'ip saddr @peers accept\n  }\n  set peers {\n    type ipv4_addr\n    flags dynamic,timeout\n    elements = { 10.0.0.1 }',
      v4,
      'open',
    ],
    ['ip saddr @none accept', v4, 'open'],
    ['ip saddr . tcp dport { 10.0.0.1 . 80 } accept', v4, 'open'],
  ])('%s: %s %s', (rules, packet, what) => expect(fate(table(rules), packet)).toBe(what));

  test('accepting is final for one chain, denying for all of a hook', () => {
    const first = table('accept');
    const second = table('tcp dport 22 accept', 'inet', 'type filter hook input priority 10; policy drop;').replace(
      'table inet t',
      'table inet u',
    );
    expect(fate(first + second, v4)).toBe('drop');
    expect(fate(second + first, '10.0.0.1 10.0.0.2 tcp/22')).toBe('accept');
  });

  test('tables of one family say nothing of the other', () => {
    expect(fate(table('tcp dport 22 accept', 'ip'), v4)).toBe('drop');
    expect(fate(table('tcp dport 22 accept', 'ip'), v6)).toBe('accept');
  });

  test('an input chain does not keep anybody from a published port; a forward chain has to ask what was asked for', () => {
    expect(fate(table('ct state established accept'), v4, { hook: 'published' })).toBe('accept');
    const forward = (rule: string) => table(rule, 'inet', 'type filter hook forward priority filter; policy drop;');
    expect(fate(forward('tcp dport 80 accept'), v4, { hook: 'published' })).toBe('open');
    expect(fate(forward('meta l4proto tcp ct original proto-dst 80 accept'), v4, { hook: 'published' })).toBe('accept');
    expect(fate(forward('ct status dnat accept'), v4, { hook: 'published' })).toBe('accept');
    expect(fate(forward('ct status dnat accept'), v4, { hook: 'forward' })).toBe('drop');
    expect(fate(forward('ct original ip daddr 10.0.0.3 accept'), v4, { hook: 'published' })).toBe('drop');
  });

  test('answers are asked about apart', () => {
    expect(fate(table('ct state established,related accept'), v4, { state: 'established' })).toBe('accept');
    expect(fate(table('ct state new accept'), v4, { state: 'related' })).toBe('drop');
  });

  test('deleting a table in a file takes its chains away; what is not understood outside of rules is an error', () => {
    expect(fate(`${table('drop')}delete table inet t\n`, v4)).toBe('accept');
    expect(fate(`${table('drop')}flush ruleset\n`, v4)).toBe('accept');
    expect(() => readRules('include "x"\n', 'nftables')).toThrow(
      'line 1: found "include", which is not understood outside of a table',
    );
    expect(() => readRules('table inet t {\n  chain c {\n', 'nftables')).toThrow(RulesetError);
  });
});

describe('iptables', () => {
  test.each([
    ['-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 80 -j ACCEPT', v4, 'accept'],
    ['-A INPUT ! -s 10.0.0.0/24 -j ACCEPT', v4, 'drop'],
    ['-A INPUT -s 10.0.0.0/255.255.255.0 -j ACCEPT', v4, 'accept'],
    ['-A INPUT -s 10.0.0.0/255.0.255.0 -j ACCEPT', v4, 'open'],
    ['-A INPUT -p tcp -m multiport --dports 22,80:90 -j ACCEPT', v4, 'accept'],
    ['-A INPUT -p tcp -m tcp ! --dport 80 -j ACCEPT', v4, 'drop'],
    ['-A INPUT -p tcp -m tcp --dport :80 -j ACCEPT', v4, 'accept'],
    ['-A INPUT -p tcp -m tcp --sport 80 -j ACCEPT', v4, 'open'],
    ['-A INPUT -j OWN\n-A OWN -p udp -j ACCEPT\n-A OWN -p tcp -j RETURN\n-A INPUT -p tcp -j ACCEPT', v4, 'accept'],
    ['-A INPUT -g OWN\n-A OWN -p udp -j ACCEPT\n-A INPUT -p tcp -j ACCEPT', v4, 'drop'],
    ['-A INPUT -m conntrack --ctstate NEW -j ACCEPT', v4, 'accept'],
    ['-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT', v4, 'drop'],
    ['-A INPUT -m set --match-set peers src -j ACCEPT', v4, 'open'],
    ['-A INPUT -m limit --limit 5/sec -j ACCEPT', v4, 'open'],
    ['-A INPUT -m comment --comment "a \\"b\\" -j DROP" -j ACCEPT', v4, 'accept'],
    ['-A INPUT -i lo -j ACCEPT', v4, 'drop'],
    ['-A INPUT -i eth+ -j ACCEPT', v4, 'open'],
    ['-A INPUT -j NFQUEUE --queue-num 0', v4, 'open'],
    ['-A INPUT -p tcp -j LOG --log-prefix "x " --log-level 4\n-A INPUT -j ACCEPT', v4, 'accept'],
    ['-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT', '10.0.0.1 10.0.0.2 icmp/2048', 'accept'],
    ['-A INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT', '10.0.0.1 10.0.0.2 icmp/771', 'drop'],
    ['-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT', v4, 'accept'],
    ['[12:345] -A INPUT -j ACCEPT', v4, 'accept'],
    ['-A INPUT -j NOWHERE', v4, 'open'],
  ])('%s: %s %s', (rules, packet, what) => expect(fate(save(rules), packet)).toBe(what));

  test('rules for IPv4 alone leave IPv6 wide open, and that is said', () => {
    expect(fate(save('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), v6)).toBe('accept');
    expect(readRules(save(''), 'iptables').notes.join()).toContain('IPv6 is judged as if nothing kept any packet');
    const six = `# Generated by ip6tables-save v1.8.9\n${save('')}`;
    expect([fate(six, v6), fate(six, v4)]).toEqual(['drop', 'accept']);
    expect(fate(save('') + six, v6)).toBe('drop');
  });

  test('a published port is judged by the state DNAT and the original port', () => {
    const rules =
      '-A FORWARD -m conntrack --ctstate DNAT -j OWN\n-A OWN -p tcp -m conntrack --ctorigdstport 80 -j ACCEPT\n-A OWN -j DROP';
    expect(fate(save(rules), v4, { hook: 'published' })).toBe('accept');
    expect(fate(save(rules), '10.0.0.1 10.0.0.2 tcp/81', { hook: 'published' })).toBe('drop');
    expect(fate(save(rules), v4, { hook: 'forward' })).toBe('accept');
  });

  test('words outside of tables are errors with their line', () => {
    expect(() => readRules('*filter\nCOMMIT\niptables -F\n', 'iptables')).toThrow(
      'line 3: found "iptables -F", which is not understood',
    );
    expect(() => readRules('*filter\n-A INPUT -m comment --comment "x -j DROP\nCOMMIT\n', 'iptables')).toThrow(
      'line 2: has a quote that does not end',
    );
  });
});

describe('JSON', () => {
  test('a list that is none, and rules without their chain, are errors', () => {
    expect(() => readRules('{"nftables"', 'nftables-json')).toThrow('is no JSON');
    expect(() => readRules('{}', 'nftables-json')).toThrow('has no list "nftables"');
    const orphan = '{"nftables":[{"rule":{"family":"inet","table":"t","chain":"c","expr":[]}}]}';
    expect(() => readRules(orphan, 'nftables-json')).toThrow('which is not in the list');
  });

  test('an extension of iptables is open, and never a pass', () => {
    const rule = (expr: unknown) =>
      JSON.stringify({
        nftables: [
          {
            chain: {
              family: 'ip',
              table: 'filter',
              name: 'INPUT',
              type: 'filter',
              hook: 'input',
              prio: 0,
              policy: 'drop',
            },
          },
          { rule: { family: 'ip', table: 'filter', chain: 'INPUT', expr } },
        ],
      });
    expect(fate(rule([{ xt: { type: 'match', name: 'u32' } }, { accept: null }]), v4)).toBe('open');
    expect(fate(rule([{ xt: null }]), v4)).toBe('open');
    expect(fate(rule([{ 'never seen': {} }, { accept: null }]), v4)).toBe('open');
    expect(fate(rule([{ match: { op: '==', left: { exthdr: {} }, right: 1 } }, { accept: null }]), v4)).toBe('open');
    expect(fate(rule([{ counter: null }, { accept: null }]), v4)).toBe('accept');
  });
});

test('whatever stands in a text, readers end with a ruleset or their own error', () => {
  const samples = [
    table('ip saddr { 10.0.0.0/8, 192.0.2.1-192.0.2.9 } tcp dport vmap { 22 : drop, 80 : accept } comment "x"'),
    save('-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 1,2:3 -m comment --comment "a b" -j OWN'),
    '{"nftables":[{"chain":{"family":"ip","table":"t","name":"c","hook":"input","prio":0,"type":"filter"}},{"rule":{"family":"ip","table":"t","chain":"c","expr":[{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"set":[{"prefix":{"addr":"10.0.0.0","len":8}}]}}},{"accept":null}]}}]}',
  ];
  const piece = fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      ',',
      ';',
      '\n',
      '"',
      '-A ',
      '!',
      ' . ',
      '@x',
      'vmap',
      '0',
      '-',
      '::/0',
      '*nat\n',
      ':X',
      '\\',
      'null',
      '[',
      ']',
      '\u0000',
      'jump c',
    ),
    fc.string({ maxLength: 6 }),
  );
  const spoiled = fc
    .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(), fc.nat(6), piece), { minLength: 1, maxLength: 5 }))
    .map(([text, edits]) =>
      edits.reduce(
        (now, [at, cut, put]) => now.slice(0, at % (now.length + 1)) + put + now.slice((at % (now.length + 1)) + cut),
        text,
      ),
    );
  fc.assert(
    fc.property(spoiled, fc.constantFrom<Family>(4, 6), (text, family) => {
      for (const form of ['nftables', 'nftables-json', 'iptables'] as const) {
        try {
          const { firewall } = readRules(text, form);
          prove({
            hook: 'inbound',
            family,
            path: firewall.pathAt('inbound', family, 'new'),
            permits: [],
            maxRows: 2000,
          });
        } catch (error) {
          expect(error, text).toBeInstanceOf(RulesetError);
        }
      }
    }),
    { numRuns: Number(process.env['INFERPATH_FUZZ'] ?? 1500) },
  );
});
