import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, framed } from './frames.ts';
import { bool, buffer, int, JuteError, JuteReader, long, text, vector } from './jute.ts';
import { opcode, readChildren, readConnect, readData, readEvent, readMulti, readReply } from './messages.ts';

const stat = Buffer.concat([
  long(1n),
  long(1n),
  long(1_700_000_000_000n),
  long(2n),
  int(6),
  int(0),
  int(0),
  long(0n),
  int(3),
  int(0),
  long(9n),
]);
const result = (type: number, ...rest: Uint8Array[]) => Buffer.concat([int(type), bool(false), int(-1), ...rest]);
const end = Buffer.concat([int(-1), bool(true), int(-1)]);

describe('messages of ZooKeeper', () => {
  test('a session is read, and null when the server has forgotten it', () => {
    const reply = (timeoutMs: number) =>
      Buffer.concat([int(0), int(timeoutMs), long(7n), buffer(Buffer.alloc(16, 5)), bool(false)]);
    expect(readConnect(reply(4000))).toEqual({ id: 7n, password: new Uint8Array(16).fill(5), timeoutMs: 4000 });
    expect(readConnect(reply(0))).toBeNull();
  });

  test('data comes with the version of its node', () => {
    const read = readData(new JuteReader(Buffer.concat([buffer(Buffer.from('abc')), stat])));
    expect(Buffer.from(read.data).toString()).toBe('abc');
    expect(read.stat).toEqual({ version: 6, createdMs: 1_700_000_000_000, changedMs: 2 });
  });

  test('a multi is done, or says which change could not be made', () => {
    const done = Buffer.concat([
      result(opcode.create, text('/a')),
      result(opcode.setData, stat),
      result(opcode.delete),
      end,
    ]);
    expect(readMulti(new JuteReader(done), 3)).toEqual({ done: true });
    const refused = Buffer.concat([result(-1, int(0)), result(-1, int(-103)), result(-1, int(-2)), end]);
    expect(readMulti(new JuteReader(refused), 3)).toEqual({ done: false, index: 1, error: -103 });
    for (const count of [2, 4]) expect(() => readMulti(new JuteReader(done), count)).toThrow(JuteError);
  });

  test('an event names what has changed, and nothing when it is about the session', () => {
    const event = (type: number) => new JuteReader(Buffer.concat([int(type), int(3), text('/a/b')]));
    expect([1, 2, 3, 4, -1].map((type) => readEvent(event(type)))).toEqual(['/a/b', '/a/b', '/a/b', '/a/b', null]);
  });

  test('messages in any pieces come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
        (messages, sizes) => {
          const stream = Buffer.concat(messages.map((m) => framed(m)));
          const reader = new FrameReader();
          const found: string[] = [];
          for (let at = 0; at < stream.length;) {
            const size = sizes.next().value;
            found.push(...reader.push(stream.subarray(at, at + size)).map((m) => Buffer.from(m).toString('hex')));
            at += size;
          }
          expect(found).toEqual(messages.map((m) => Buffer.from(m).toString('hex')));
        },
      ),
    );
    expect(() => new FrameReader().push(Buffer.from([0x7f, 0, 0, 0]))).toThrow(JuteError);
    expect(() => new FrameReader().push(Buffer.from([0xff, 0, 0, 0]))).toThrow(JuteError);
  });

  test('whatever octets come, readers return or throw a JuteError', () => {
    const good = [
      Buffer.concat([int(0), int(4000), long(7n), buffer(Buffer.alloc(16)), bool(false)]),
      Buffer.concat([int(3), long(8n), int(0), buffer(Buffer.from('abc')), stat]),
      Buffer.concat([int(3), long(8n), int(0), vector(text('a'), text('bc'))]),
      Buffer.concat([result(opcode.create, text('/a')), result(opcode.setData, stat), result(-1, int(-103)), end]),
      Buffer.concat([int(4), int(3), text('/a/b')]),
    ];
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.tuple(fc.constantFrom(...good), fc.nat(200), flips).map(([template, length, flips]) => {
        const changed = Buffer.from(template.subarray(0, length));
        for (const [at, value] of flips) if (changed.length > 0) changed[at % changed.length] = value;
        return changed;
      }),
    );
    const readers = [
      readConnect,
      (bytes: Uint8Array) => readData(readReply(bytes).body),
      (bytes: Uint8Array) => readChildren(readReply(bytes).body),
      (bytes: Uint8Array) => readMulti(new JuteReader(bytes), 3),
      (bytes: Uint8Array) => readEvent(new JuteReader(bytes)),
    ];
    let refused = 0;
    fc.assert(
      fc.property(octets, (bytes) => {
        for (const read of readers)
          try {
            read(bytes);
          } catch (error) {
            refused++;
            expect(error).toBeInstanceOf(JuteError);
          }
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
