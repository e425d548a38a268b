import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cnpOpcode,
  endsMessage,
  isRequest,
  nakOf,
  newRoceHeader,
  operation,
  psnDistance,
  readRoce,
  rocePort,
} from './roce.ts';

const header = newRoceHeader();
const read = (hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return readRoce(bytes, 0, bytes.length, bytes.length, header) ? { ...header } : null;
};

describe('readRoce', () => {
  test('a WRITE that is one packet: its queue pair, number, size and what it carries', () => {
    // BTH, RETH of 10 octets, 10 octets with 2 of padding, invariant CRC.
    const found = read(`0a 60 ffff 00 000123 80 00abcd 0011223344556677 00000042 0000000a ${'11'.repeat(12)} deadbeef`);
    expect(found).toMatchObject({ opcode: 0x0a, pad: 2, destinationQp: 0x123, ackRequested: true, psn: 0xabcd });
    expect(found).toMatchObject({ messageBytes: 10, payloadBytes: 10, syndrome: -1, becn: false });
  });

  test('a NAK, whose syndrome says that a number was missed', () => {
    const found = read('11 40 ffff 00 000456 00 000007 60 000003 deadbeef')!;
    expect(found.syndrome).toBe(0x60);
    expect(nakOf(found.syndrome)).toBe('psn-sequence-error');
  });

  test('a congestion notification has the backward bit, and sixteen octets of nothing', () => {
    expect(read(`81 00 ffff 40 000456 00 000000 ${'00'.repeat(16)} deadbeef`)).toMatchObject({
      opcode: cnpOpcode,
      becn: true,
      destinationQp: 0x456,
    });
  });

  test('what is cut after twelve octets still has its numbers', () => {
    const bytes = Buffer.from('0affff0000000123800000ab'.padEnd(24, '0'), 'hex');
    bytes[1] = 0;
    expect(readRoce(bytes, 0, 12, 1500, header)).toBe(true);
    expect(header.messageBytes).toBe(-1);
    expect(header.payloadBytes).toBe(1500 - 12 - 16 - 4);
  });

  test.each([
    ['too short', '0a00ffff0000012380000a'],
    ['a version that does not exist', '0a01ffff0000012380000abc'],
    ['a service that does not exist', 'ff00ffff0000012380000abc'],
  ])('%s is none', (_, hex) => {
    expect(read(hex)).toBeNull();
  });

  test('any octets give numbers within their bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: -1, max: 9000 }), (octets, carried) => {
        const bytes = Buffer.from(octets);
        if (!readRoce(bytes, 0, bytes.length, carried, header)) return;
        expect(header.psn).toBeLessThan(2 ** 24);
        expect(header.destinationQp).toBeLessThan(2 ** 24);
        expect(header.payloadBytes).toBeGreaterThanOrEqual(0);
        expect(header.payloadBytes).toBeLessThanOrEqual(Math.max(0, carried));
      }),
    );
  });
});

test('every opcode is a request, or an answer, and only some end a message', () => {
  const requests = Object.entries(operation).filter(([, what]) => isRequest(what));
  const answers = ['readResponseFirst', 'readResponseMiddle', 'readResponseLast', 'readResponseOnly', 'acknowledge'];
  expect(Object.keys(operation).filter((name) => !requests.some(([one]) => one === name))).toEqual([
    ...answers,
    'atomicAcknowledge',
  ]);
  const open = Object.entries(operation).filter(([, what]) => !endsMessage(what));
  expect(open.map(([name]) => name)).toEqual([
    'sendFirst',
    'sendMiddle',
    'writeFirst',
    'writeMiddle',
    'readRequest',
    'readResponseFirst',
    'readResponseMiddle',
    'acknowledge',
  ]);
  expect(rocePort).toBe(4791);
});

test('syndromes: acknowledgements are no refusals, receiver not ready has a timer in it', () => {
  expect([0x00, 0x1f, -1].map(nakOf)).toEqual([null, null, null]);
  expect([0x20, 0x3f, 0x61, 0x62, 0x63, 0x64, 0x7f, 0x40].map(nakOf)).toEqual([
    'receiver-not-ready',
    'receiver-not-ready',
    'invalid-request',
    'remote-access-error',
    'remote-operational-error',
    'invalid-rd-request',
    'reserved',
    'reserved',
  ]);
});

test('numbers wrap at 24 bits', () => {
  expect(psnDistance(0, 0xff_ffff)).toBe(1);
  expect(psnDistance(0xff_ffff, 0)).toBe(-1);
  expect(psnDistance(5, 5)).toBe(0);
});
