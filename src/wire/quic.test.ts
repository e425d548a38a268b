import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newQuicHeader, quicVersions, type QuicKind, readQuic } from './quic.ts';

const header = newQuicHeader();
function kindsOf(bytes: Buffer): QuicKind[] {
  const found: QuicKind[] = [];
  for (let at = 0; at < bytes.length && readQuic(bytes, at, bytes.length, header); at = header.nextAt)
    found.push(header.kind);
  return found;
}

/** A long header with so many octets of connection ids and a payload behind its length. */
function long(type: number, { version = 1, payload = 40, token = -1 } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = 0xc0 | (type << 4);
  head.writeUInt32BE(version, 1);
  const ids = Buffer.from([8, ...Array(8).fill(1), 5, ...Array(5).fill(2)]);
  const tokens = token < 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([token]), Buffer.alloc(token)]);
  return Buffer.concat([head, ids, tokens, Buffer.from([0x40, payload]), Buffer.alloc(payload)]);
}

describe('readQuic', () => {
  test('walks through packets that share a datagram', () => {
    const short = Buffer.concat([Buffer.from([0x60]), Buffer.alloc(30)]);
    expect(kindsOf(Buffer.concat([long(0, { token: 16 }), long(1), long(2), short]))).toEqual([
      'initial',
      'zero-rtt',
      'handshake',
      'short',
    ]);
    expect(header.spin).toBe(true);
  });

  test('says where the connection ids stand', () => {
    const bytes = long(2);
    readQuic(bytes, 0, bytes.length, header);
    expect(header).toMatchObject({ destinationIdAt: 6, destinationIdBytes: 8, sourceIdAt: 15, sourceIdBytes: 5 });
    expect(header.version).toBe(1);
  });

  test('version 2 has the types turned by one (RFC 9369)', () => {
    const version = quicVersions.v2;
    expect([0, 1, 2, 3].map((type) => kindsOf(long(type, { version, token: type === 1 ? 0 : -1 }))[0])).toEqual([
      'retry',
      'initial',
      'zero-rtt',
      'handshake',
    ]);
  });

  test('the initial packet of RFC 9001 appendix A.2', () => {
    const start = Buffer.from('c300000001088394c8f03e5157080000449e', 'hex');
    const bytes = Buffer.concat([start, Buffer.alloc(1200 - start.length)]);
    expect(readQuic(bytes, 0, bytes.length, header)).toBe(true);
    expect(header).toMatchObject({
      kind: 'initial',
      version: 1,
      destinationIdBytes: 8,
      sourceIdBytes: 0,
      nextAt: 1200,
    });
  });

  test('version negotiation, and versions that nobody knows', () => {
    const negotiation = Buffer.from('80000000000000000000016b3343cf', 'hex');
    expect(kindsOf(negotiation)).toEqual(['version-negotiation']);
    expect(kindsOf(long(0, { version: 0x51303433 }))).toEqual(['other-version']);
  });

  test.each([
    ['nothing', ''],
    ['a short header without the fixed bit', '00'.repeat(30)],
    ['a long one that is cut', 'c00000000108'],
    ['an id longer than twenty octets', `c000000001ff${'00'.repeat(300)}`],
  ])('%s is none', (_, hex) => {
    expect(kindsOf(Buffer.from(hex, 'hex'))).toEqual([]);
  });

  test('any octets are walked through to their end', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .tuple(fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 60 }))
        .map(([type, rest]) => Buffer.concat([long(type), rest])),
    );
    fc.assert(
      fc.property(octets, (some) => {
        const bytes = Buffer.from(some);
        let at = 0;
        while (at < bytes.length && readQuic(bytes, at, bytes.length, header)) {
          expect(header.nextAt).toBeGreaterThan(at);
          expect(header.nextAt).toBeLessThanOrEqual(bytes.length);
          at = header.nextAt;
        }
      }),
    );
  });
});
