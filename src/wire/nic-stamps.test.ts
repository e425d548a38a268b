import { describe, expect, test } from 'vitest';
import { nicStamps, readTsInfo, stampsEveryPacket, summary } from './nic-stamps.ts';

/** struct ethtool_ts_info, as a driver fills it in: flags, clock, kinds of sending, filters of receiving. */
function tsInfo(flags: number, clock: number, sends: number, receives: number): Buffer {
  const info = Buffer.alloc(44);
  info.writeUInt32LE(0x41, 0);
  info.writeUInt32LE(flags, 4);
  info.writeInt32LE(clock, 8);
  info.writeUInt32LE(sends, 12);
  info.writeUInt32LE(receives, 28);
  return info;
}

function config(sends: number, receives: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32LE(sends, 4);
  bytes.writeInt32LE(receives, 8);
  return bytes;
}

describe('readTsInfo()', () => {
  test.each([
    ['a card that stamps everything', tsInfo(0x5f, 0, 0b11, 0b11), true],
    ['a card that stamps PTP only on receiving', tsInfo(0x5f, 0, 0b11, 1 << 12), false],
    ['a card that cannot stamp what it sends', tsInfo(0x5f, 0, 0b01, 0b11), false],
    ['a card without a clock of its own', tsInfo(0x5f, -1, 0b11, 0b11), false],
    ['loopback and veth: software only', tsInfo(0x1a, -1, 0, 0), false],
  ])('%s', (_, info, offered) => {
    expect(readTsInfo(info).offered).toBe(offered);
  });
});

describe('stampsEveryPacket()', () => {
  test.each([
    [1, 1, true],
    [0, 1, false],
    [1, 0, false],
    // As ptp4l leaves it: PTP over UDP and Ethernet, nothing of ours.
    [1, 12, false],
  ])('sends %d, filter %d', (sends, receives, every) => {
    expect(stampsEveryPacket(config(sends, receives))).toBe(every);
  });
});

describe('summary()', () => {
  const eth0 = { name: 'eth0', state: 'on', clock: 0 } as const;
  test.each([
    ['one card that stamps', [eth0], 'on', ['eth0']],
    ['a VLAN shares the clock of its card', [eth0, { ...eth0, name: 'eth0.7' }], 'on', ['eth0', 'eth0.7']],
    ['two clocks must not be mixed', [eth0, { ...eth0, name: 'eth1', clock: 1 }], 'unknown', ['eth0', 'eth1']],
    [
      'one that could',
      [
        { name: 'lo', state: 'notOffered', clock: -1 },
        { ...eth0, state: 'off' },
      ],
      'off',
      ['eth0'],
    ],
    ['one that does not tell', [{ ...eth0, state: 'unknown' }], 'unknown', ['eth0']],
    ['none', [{ name: 'lo', state: 'notOffered', clock: -1 }], 'notOffered', []],
  ] as const)('%s', (_, all, state, interfaces) => {
    expect(summary(all)).toEqual({ state, interfaces });
  });
});

describe.runIf(process.platform === 'linux')('nicStamps()', () => {
  test('loopback offers none', () => {
    expect(nicStamps(['lo'])).toEqual({ state: 'notOffered', interfaces: [] });
  });

  test('an interface that is not there is unknown, not a crash', () => {
    expect(nicStamps(['no-such-nic'])).toEqual({ state: 'unknown', interfaces: ['no-such-nic'] });
  });

  test('whatever this machine has, the answer is one of the four', () => {
    expect(['on', 'off', 'notOffered', 'unknown']).toContain(nicStamps().state);
  });
});
