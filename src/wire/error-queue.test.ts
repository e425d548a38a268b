import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { IPPROTO_UDP, SOCK_DGRAM } from './abi.ts';
import { StampedSocket } from './error-queue.ts';
import { memory } from './libc.ts';

const packet = memory(4);

/** Connected to a port of ours on loopback that is closed again. */
function toNobody(): StampedSocket {
  const gone = new StampedSocket(4, SOCK_DGRAM, IPPROTO_UDP, 'rx');
  gone.bind(0);
  const socket = new StampedSocket(4, SOCK_DGRAM, IPPROTO_UDP, 'tx+rx');
  socket.connect('127.0.0.1', gone.localPort());
  gone.close();
  return socket;
}

test.skipIf(process.platform !== 'linux')(
  'an ICMP error that comes in between clearing errors and sending does not fail the packet',
  async () => {
    const socket = toNobody();
    try {
      // As if each error came just after the look for it.
      const look = socket.takeError.bind(socket);
      socket.takeError = () => 0;
      socket.send(packet, 4, 0, '127.0.0.1');
      await sleep(5);
      socket.send(packet, 4, 1, '127.0.0.1');
      await sleep(5);
      expect(look(), 'the error of the second packet is pending').not.toBe(0);
      const errors: number[] = [];
      const nothing = () => undefined;
      socket.drain({ transmitted: nothing, received: nothing, icmpError: ({ errorType }) => errors.push(errorType) });
      expect(errors, 'the error queue has both').toEqual([3, 3]);
    } finally {
      socket.close();
    }
  },
);

test.skipIf(process.platform !== 'linux')('what the own host refuses is thrown all the same', () => {
  const socket = new StampedSocket(4, SOCK_DGRAM, IPPROTO_UDP, 'rx');
  try {
    expect(() => socket.send(packet, 4, 0, 'nowhere')).toThrow(/send nowhere: EDESTADDRREQ/);
  } finally {
    socket.close();
  }
});
