import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { openTransport } from './open.ts';
import { listening, transportContract } from './transport.case.ts';

const monoMs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};
const open = (platform: string) => openTransport({ platform, tap: true, monoMs });

describe('openTransport() elsewhere than on Linux', () => {
  transportContract(() => open('darwin'));

  test.each(['darwin', 'win32'])(
    'on %s it says that its stamps are those of the user, and claims no more',
    async (platform) => {
      const transport = open(platform);
      expect(transport).toMatchObject({ stamps: 'user', tap: false });
      expect(transport.about).toContain(platform);
      const { target, close } = await listening((socket) => socket.end('hello'));
      const { stream, trace, readInfo } = await transport.connect(target, new AbortController().signal);
      await once(stream.resume(), 'end');
      expect(trace.arrivals.map((a) => a.stamp)).toEqual(['user']);
      expect([trace.handshakeRttMs, trace.synRetransmits, trace.tapComplete, trace.segments]).toEqual([
        null,
        null,
        false,
        [],
      ]);
      expect(await readInfo('end')).toBeNull();
      await transport.close();
      await close();
    },
  );
});
