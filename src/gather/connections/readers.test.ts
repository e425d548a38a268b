import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import { connectionReaders } from './readers.ts';
import { readConnections, startReading } from './read.ts';

const text = ({ protocol, local, remote, direction, state }: Connection) => {
  const end = (one: Connection['remote']) => (one ? `${one.address} ${one.port}` : '-');
  return `${protocol} ${end(local)} > ${end(remote)} ${direction} ${state}`;
};
const read = (content: string | Uint8Array, context: Parameters<typeof readConnections>[1] = {}) => {
  const result = readConnections(content, context);
  return { ...result, texts: result.connections.map(text), at: result.mistakes.map((m) => `${m.line} ${m.key}`) };
};

const procNet = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1684 1 0000 100 0 0 10 0
   1: 0A01000A:1F40 0502000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 1685 1 0000 100 0 0 10 0
   2: 0A01000A:9C40 0502000A:01BB 02 00000000:00000000 00:00000000 00000000     0        0 1686 1 0000 100 0 0 10 0
   3: 0A01000A:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1684 1 0000 100 0 0 10 0
   4: 0A01000A:2328 0502000A:C351 06 00000000:00000000 00:00000000 00000000     0        0 1685 1 0000 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000A01000A:2328 0000000000000000FFFF00000602000A:C352 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20 4 30 10 -1
   1: B80D0120000000000000000001000000:9C42 B80D0120000000000000000002000000:01BB 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20 4 30 10 -1
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  309: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
`;

const ss = `tcp   LISTEN    0      4096      127.0.0.53%lo:53        0.0.0.0:*     users:(("systemd-resolve",pid=611,fd=17))
tcp   LISTEN    0      4096                  *:8000             *:*     users:(("vllm",pid=7,fd=3),("vllm",pid=8,fd=3))
tcp   ESTAB     0      0      [::ffff:10.0.1.10]:8000 [::ffff:10.0.2.5]:50001
tcp   ESTAB     0      0      10.0.1.10:40000   10.0.2.5:443   users:(("curl",pid=9,fd=5))
tcp   TIME-WAIT 0      0      [2001:db8::1]:8000  [2001:db8::2]:50002
udp   UNCONN    0      0      [fe80::1]%eth0:546             [::]:*
udp   ESTAB     0      0      10.0.1.10:40001   10.0.2.53:53
`;

const conntrack = `ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=8000 packets=5 bytes=500 src=10.0.0.2 dst=10.0.0.1 sport=8000 dport=40000 packets=4 bytes=90000 [ASSURED] mark=0 use=1
ipv4     2 tcp      6 100 TIME_WAIT src=198.51.100.7 dst=203.0.113.1 sport=41000 dport=80 src=172.17.0.2 dst=198.51.100.7 sport=11434 dport=41000 [ASSURED] mark=0 use=1
ipv6     10 udp      17 29 src=2001:db8::1 dst=2001:db8::53 sport=5353 dport=53 [UNREPLIED] src=2001:db8::53 dst=2001:db8::1 sport=53 dport=5353 mark=0 use=1
icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=1 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=1 mark=0 use=1
[1700000000.500000]	    [NEW] tcp      6 120 SYN_SENT src=10.0.0.1 dst=10.0.0.9 sport=40001 dport=443 [UNREPLIED] src=10.0.0.9 dst=10.0.0.1 sport=443 dport=40001
conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.
`;

const json51 = `[
    {
        "LocalAddress":  "::",
        "LocalPort":  11434,
        "RemoteAddress":  "::",
        "RemotePort":  0,
        "State":  2,
        "OwningProcess":  4242,
        "CreationTime":  "\\/Date(1700000000000)\\/"
    },
    {
        "LocalAddress":  "10.0.0.2",
        "LocalPort":  11434,
        "RemoteAddress":  "10.0.0.1",
        "RemotePort":  50000,
        "State":  5,
        "OwningProcess":  4242,
        "CreationTime":  null
    },
    {
        "LocalAddress":  "10.0.0.2",
        "LocalPort":  "50001 }",
        "RemoteAddress":  "10.0.0.1",
        "RemotePort":  443,
        "State":  5
    },
    { "LocalAddress": "10.0.0.2", "LocalPort": 50002, "RemoteAddress": "10.0.0.1", "RemotePort": 443, "State": 55 },
    { "LocalAddress": "fe80::1%5", "LocalPort": 50003, "RemoteAddress": "fe80::2%5", "RemotePort": 443, "State": "Established" }
]
`;

const csv51 = `#TYPE Selected.Microsoft.Management.Infrastructure.CimInstance
"LocalAddress";"LocalPort";"RemoteAddress";"RemotePort";"State";"OwningProcess";"CreationTime"
"0.0.0.0";"3389";"0.0.0.0";"0";"Listen";"1000";"27.11.2026 10:00:00"
"10.0.0.2";"3389";"10.0.0.1";"50000";"Established";"1000";""
"10.0.0.2";"x";"10.0.0.1";"50000";"Established";"1000";""
`;

const netstatLinux = `Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      811/sshd: /usr/sbin
tcp        0      0 10.0.0.2:22             10.0.0.1:50000          ESTABLISHED 900/sshd: root [pri
tcp6       0      0 :::8000                 :::*                    LISTEN      -
tcp6       0      0 2001:db8:85a3:8d3:22221 2001:db8::2:50000       ESTABLISHED -
udp        0      0 0.0.0.0:68              0.0.0.0:*                           700/dhclient
udp        0      0 10.0.0.2:40000          10.0.0.53:53            ESTABLISHED 701/app
`;

const netstatWindows = `
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1012
  TCP    10.0.0.2:50000         10.0.0.9:443           HERGESTELLT     2000
 [chrome.exe]
  TCP    [::1]:5000             [::1]:135              WARTEND         0
  UDP    0.0.0.0:123            *:*                                    1100
  UDP    [fe80::1%5]:1900       *:*                                    1101
`;

const pfirewall = `#Version: 1.5
#Software: Microsoft Windows Firewall
#Time Format: Local
#Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype icmpcode info path pid

2026-11-27 10:00:00 DROP TCP 10.0.0.9 10.0.0.2 50000 11434 52 S 1 0 8192 - - - RECEIVE 4
2026-11-27 10:00:01 ALLOW UDP 10.0.0.2 10.0.0.53 50001 53 0 - - - - - - - SEND 5
2026-11-27 10:00:02 DROP ICMP 10.0.0.9 10.0.0.2 - - 60 - - - - 8 0 - RECEIVE -
2026-11-27 10:00:03 INFO-EVENTS-LOST - - - - - - - - - - - - 17 - -
2026-11-27 10:00:04 SMILE TCP 10.0.0.9 10.0.0.2 50000 11434 52 S 1 0 8192 - - - RECEIVE 4
`;

const nfdump = `ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt
2026-11-27 10:00:00,2026-11-27 10:00:05,5.0,10.0.0.1,10.0.0.2,50000,8000,TCP,.AP.SF,0,0,10,1000,20,90000
2026-11-27 10:00:00,2026-11-27 10:00:05,5.0,10.0.0.2,10.0.0.1,8000,50000,TCP,.AP.SF,0,0,20,90000,0,0
2026-11-27 10:00:00,2026-11-27 10:00:05,5.0,10.0.0.3,10.0.0.2,8001,8000,UDP,......,0,0,1,1,0,0
2026-11-27 10:00:00,2026-11-27 10:00:05,5.0,10.0.0.3,10.0.0.2,0,8.0,ICMP,......,0,0,1,1,0,0
2026-11-27 10:00:00,2026-11-27 10:00:05,5.0,10.0.0.300,10.0.0.2,0,8.0,ICMP,......,0,0,1,1,0,0
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
4,1,1,1,1,1
`;

const vpc = `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1700000000 1700000060 ACCEPT OK
2 123456789010 eni-1 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1700000000 1700000060 REJECT OK
2 123456789010 eni-1 - - - - - - - 1700000000 1700000060 - NODATA
2 123456789010 eni-1 - - - - - - - 1700000000 1700000060 - SKIPDATA
`;

const samples = { procNet, ss, conntrack, json51, csv51, netstatLinux, netstatWindows, pfirewall, nfdump, vpc };

describe('lists of sockets', () => {
  it('reads /proc/net of both families and protocols, and concludes who opened', () => {
    const { texts, at, counts } = read(procNet);
    expect(counts).toMatchObject({ format: 'proc-net', mistakes: 0 });
    expect(at).toEqual([]);
    expect(texts).toEqual([
      'tcp 127.0.0.1 8000 > - listen listen',
      // Only the loopback address listens on 8000: this one was opened from here.
      'tcp 10.0.1.10 8000 > 10.0.2.5 50000 out established',
      'tcp 10.0.1.10 40000 > 10.0.2.5 443 out opening',
      'tcp 10.0.1.10 9000 > - listen listen',
      'tcp 10.0.1.10 9000 > 10.0.2.5 50001 in closing',
      'tcp 10.0.1.10 9000 > 10.0.2.6 50002 in established',
      'tcp 2001:db8::1 40002 > 2001:db8::2 443 out established',
      'udp 0.0.0.0 53 > - listen bound',
    ]);
  });

  it('reads ss with zones, mapped addresses and owners', () => {
    const { texts, connections, counts } = read(ss);
    expect(counts).toMatchObject({ format: 'ss', mistakes: 0 });
    expect(texts).toEqual([
      'tcp 127.0.0.53 53 > - listen listen',
      'tcp :: 8000 > - listen listen',
      'tcp 10.0.1.10 8000 > 10.0.2.5 50001 in established',
      'tcp 10.0.1.10 40000 > 10.0.2.5 443 out established',
      'tcp 2001:db8::1 8000 > 2001:db8::2 50002 in closing',
      'udp fe80::1 546 > - listen bound',
      'udp 10.0.1.10 40001 > 10.0.2.53 53 out established',
    ]);
    expect(connections.map((one) => one.process)).toEqual([
      'systemd-resolve/611',
      'vllm/7',
      undefined,
      'curl/9',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('concludes nothing about who opened from a list without listening sockets', () => {
    expect(read('tcp ESTAB 0 0 10.0.0.1:8000 10.0.0.2:50000\n').texts).toEqual([
      'tcp 10.0.0.1 8000 > 10.0.0.2 50000 unknown established',
    ]);
  });

  it('reads numbers of PowerShell 5.1 and words of 7, keeps going after a wrong row and names its line', () => {
    const { texts, mistakes, connections, counts } = read(json51);
    expect(counts.format).toBe('windows-json');
    expect(texts).toEqual([
      'tcp :: 11434 > - listen listen',
      'tcp 10.0.0.2 11434 > 10.0.0.1 50000 in established',
      'tcp fe80::1 50003 > fe80::2 443 out established',
    ]);
    expect(connections[0]).toMatchObject({ atMs: 1_700_000_000_000, process: '4242' });
    expect(mistakes).toEqual([
      { line: 20, key: 'LocalPort', message: 'found "50001 }"; allowed: an IP address, and a port from 0 to 65535' },
      {
        line: 27,
        key: 'State',
        message: 'found "55"; allowed: a number of Windows (2 is Listen, 5 Established), or its word',
      },
    ]);
  });

  it('reads one row as an object, in UTF-16 with a byte order mark, and UDP that has no remote end', () => {
    const one = '{\r\n  "LocalAddress": "10.0.0.2", "LocalPort": 53\r\n}\r\n';
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(one, 'utf16le')]);
    expect(read(bytes).texts).toEqual(['udp 10.0.0.2 53 > - listen bound']);
  });

  it('reads the CSV of a culture with semicolons', () => {
    const { texts, at, counts } = read(csv51);
    expect(counts.format).toBe('windows-csv');
    expect(texts).toEqual(['tcp 0.0.0.0 3389 > - listen listen', 'tcp 10.0.0.2 3389 > 10.0.0.1 50000 in established']);
    expect(at).toEqual(['5 LocalPort']);
  });

  it('reads netstat of Linux and refuses an IPv6 address that netstat has cut off', () => {
    const { texts, mistakes } = read(netstatLinux);
    expect(texts).toEqual([
      'tcp 0.0.0.0 22 > - listen listen',
      'tcp 10.0.0.2 22 > 10.0.0.1 50000 in established',
      'tcp :: 8000 > - listen listen',
      'udp 0.0.0.0 68 > - listen bound',
      'udp 10.0.0.2 40000 > 10.0.0.53 53 out established',
    ]);
    expect(mistakes).toEqual([{ line: 6, key: 'address', message: expect.stringContaining('by -W') as string }]);
  });

  it('reads netstat of a German Windows', () => {
    const { texts, at } = read(netstatWindows);
    expect(at).toEqual([]);
    expect(texts).toEqual([
      'tcp 0.0.0.0 135 > - listen listen',
      'tcp 10.0.0.2 50000 > 10.0.0.9 443 out unknown',
      'tcp ::1 5000 > ::1 135 out unknown',
      'udp 0.0.0.0 123 > - listen bound',
      'udp fe80::1 1900 > - listen bound',
    ]);
  });
});

describe('logs and flow records', () => {
  it('reads conntrack: the first tuple opened, the reply says where the packets really went', () => {
    const { texts, connections, at } = read(conntrack);
    expect(at).toEqual([]);
    expect(texts).toEqual([
      'tcp 10.0.0.1 40000 > 10.0.0.2 8000 through established',
      'tcp 198.51.100.7 41000 > 172.17.0.2 11434 through closing',
      'udp 2001:db8::1 5353 > 2001:db8::53 53 through opening',
      'icmp 10.0.0.1 0 > 10.0.0.2 8 through established',
      'tcp 10.0.0.1 40001 > 10.0.0.9 443 through opening',
    ]);
    expect(connections[0]).toMatchObject({ bytesOut: 500, bytesIn: 90_000 });
    expect(connections[1]!.translatedFrom).toEqual({ address: '203.0.113.1', port: 80 });
    expect(connections[4]!.atMs).toBe(1_700_000_000_500);
  });

  it('reads pfirewall.log by its header, in local time, and lost events as a gap', () => {
    const { texts, connections, gaps, mistakes } = read(pfirewall, { zoneMinutes: 60 });
    expect(texts).toEqual([
      'tcp 10.0.0.2 11434 > 10.0.0.9 50000 in denied',
      'udp 10.0.0.2 50001 > 10.0.0.53 53 out allowed',
      'icmp 10.0.0.2 8 > 10.0.0.9 0 in denied',
    ]);
    expect(connections[0]!.atMs).toBe(Date.parse('2026-11-27T09:00:00Z'));
    expect(gaps).toEqual([
      { line: 9, atMs: Date.parse('2026-11-27T09:00:03Z'), message: 'the firewall lost events (INFO-EVENTS-LOST)' },
    ]);
    expect(mistakes).toMatchObject([{ line: 10, key: 'action' }]);
  });

  it('follows the header of a log with other columns', () => {
    const other =
      '#Fields: time date path dst-port src-port dst-ip src-ip protocol action\n10:00:00 2026-11-27 SEND 443 50000 10.0.0.9 10.0.0.1 TCP ALLOW\n';
    expect(read(other).texts).toEqual(['tcp 10.0.0.1 50000 > 10.0.0.9 443 out allowed']);
  });

  it('reads nfdump in both directions, and leaves open what ports do not tell', () => {
    const { texts, connections, at } = read(nfdump);
    expect(texts).toEqual([
      'tcp 10.0.0.1 50000 > 10.0.0.2 8000 through seen',
      'tcp 10.0.0.1 50000 > 10.0.0.2 8000 through seen',
      'udp 10.0.0.3 8001 > 10.0.0.2 8000 unknown seen',
      'icmp 10.0.0.3 0 > 10.0.0.2 8 through seen',
    ]);
    expect(connections.slice(0, 2)).toMatchObject([
      { bytesOut: 1000, bytesIn: 90_000, atMs: Date.parse('2026-11-27T10:00:00Z') },
      { bytesOut: 0, bytesIn: 90_000 },
    ]);
    expect(at).toEqual(['6 src']);
  });

  it('reads VPC flow logs with what was rejected, and left-out records as a gap', () => {
    const { texts, gaps, at } = read(vpc);
    expect(at).toEqual([]);
    expect(texts).toEqual([
      'tcp 172.31.16.139 20641 > 172.31.16.21 22 through allowed',
      'tcp 172.31.9.69 49761 > 172.31.9.12 3389 through denied',
    ]);
    expect(gaps).toMatchObject([{ line: 5, atMs: 1_700_000_000_000 }]);
  });
});

describe('whatever the text is', () => {
  it('says what is read here when nobody knows it', () => {
    const { counts, mistakes } = read('hello\nworld\n');
    expect(counts).toMatchObject({ format: null, lines: 2, mistakes: 1 });
    expect(mistakes[0]).toMatchObject({
      line: 1,
      key: 'file',
      message: expect.stringContaining('pfirewall.log') as string,
    });
  });

  it('tells twenty mistakes one by one and counts the rest', () => {
    const { counts, mistakes } = read(`${ss}${'tcp WHAT\n'.repeat(100)}`);
    expect(counts.mistakes).toBe(100);
    expect(mistakes).toHaveLength(20);
  });

  it('gives the same in pieces of any size', () => {
    for (const sample of Object.values(samples)) {
      const whole = readConnections(sample).connections;
      const pieces: Connection[] = [];
      const reading = startReading(
        { source: 'text', atMs: null, zoneMinutes: 0 },
        { connection: (one) => pieces.push(one) },
      );
      const bytes = new TextEncoder().encode(sample);
      for (let at = 0; at < bytes.length; at += 7) reading.push(bytes.subarray(at, at + 7));
      reading.end();
      expect(pieces).toEqual(whole);
    }
  });

  const isWellFormed = ({ local, remote, line }: Connection) =>
    [local, ...(remote ? [remote] : [])].every(
      ({ address, port }) => /^[0-9a-f.:]+$/.test(address) && Number.isInteger(port) && port >= 0 && port <= 65_535,
    ) && line >= 0;

  it.each(connectionReaders.map((reader) => [reader.format, reader] as const))(
    '%s: mutated and foreign lines are connections in form, mistakes with a line of the text, or nothing',
    (format) => {
      const lines = Object.values(samples).flatMap((sample) => sample.split('\n'));
      const cut = fc.tuple(fc.constantFrom(...lines), fc.nat(200), fc.nat(200), fc.string({ maxLength: 6 }));
      const line = fc.oneof(
        fc.constantFrom(...lines),
        cut.map(([text, from, length, by]) => text.slice(0, from) + by + text.slice(from + (length % 8))),
        fc.string({ unit: 'binary', maxLength: 40 }),
      );
      const head = fc.constantFrom(
        ...Object.values(samples).map((sample) => sample.split('\n').slice(0, 5).join('\n')),
        '',
      );
      fc.assert(
        fc.property(head, fc.array(line, { maxLength: 8 }), (before, more) => {
          const content = [before, ...more].join('\n');
          const { connections, mistakes, counts } = readConnections(content, { format });
          expect(connections.every(isWellFormed), content).toBe(true);
          expect(
            mistakes.every((one) => one.line >= 1 && one.line <= counts.lines),
            content,
          ).toBe(true);
        }),
        { numRuns: 1000, seed: 61, interruptAfterTimeLimit: 4000 },
      );
    },
  );

  it('any octets are read without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readConnections(bytes);
      }),
      { numRuns: 3000, seed: 62 },
    );
  });
});
