import { describe, expect, test } from 'vitest';
import { SystemCallError } from './libc.ts';
import { PacketRing } from './packet-ring.ts';
import { newFrame } from './pcap/frame.ts';

/** Whether packet sockets are to be had; test/lab/live-capture.test.ts has the packets. */
function mayCapture(): boolean {
  try {
    new PacketRing('lo', { snapLength: 64, ringBytes: 2 << 20 }).close();
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== 'linux')('PacketRing', () => {
  test('an interface that is not there is an error that names it', () => {
    expect(() => new PacketRing('nosuch0', { snapLength: 64 })).toThrow(SystemCallError);
    expect(() => new PacketRing('nosuch0', { snapLength: 64 })).toThrow(mayCapture() ? /nosuch0: ENODEV/ : /EPERM/);
  });

  test.skipIf(!mayCapture())('is safe to ask after it was closed', () => {
    const ring = new PacketRing('lo', { snapLength: 64, ringBytes: 2 << 20 });
    const frame = newFrame();
    ring.close();
    ring.close();
    expect(ring.next(frame)).toBe(false);
    expect(ring.isReady()).toBe(false);
    expect(ring.trouble()).toBeNull();
    expect(ring.statistics().drops).toBe(0);
  });
});
