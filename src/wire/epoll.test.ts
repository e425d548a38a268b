import { describe, expect, test } from 'vitest';
import { EFD_CLOEXEC, EFD_NONBLOCK } from './abi.ts';
import { Epoll, EPOLLIN, epollEventLayout, EPOLLOUT } from './epoll.ts';
import { check, libc, memory } from './libc.ts';

describe('epollEventLayout()', () => {
  test('is packed on x86-64 and aligned everywhere else', () => {
    expect(epollEventLayout('x64')).toEqual({ bytes: 12, data: 4 });
    expect(epollEventLayout('arm64')).toEqual({ bytes: 16, data: 8 });
    expect(epollEventLayout('riscv64')).toEqual({ bytes: 16, data: 8 });
  });
});

describe.runIf(process.platform === 'linux')('Epoll', () => {
  function counter(): number {
    return check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
  }

  test('tells several events of one wait apart, by descriptor or by what was given for it', () => {
    const epoll = new Epoll(8);
    const fds = [counter(), counter(), counter()];
    const [first, second, third] = fds as [number, number, number];
    try {
      expect(epoll.wait(0)).toBe(0);
      epoll.add(first, EPOLLOUT);
      epoll.add(second, EPOLLIN, 0xfffffff0);
      epoll.add(third, EPOLLOUT, 7);
      const seen = () =>
        Array.from({ length: epoll.wait(0) }, (_, i) => [epoll.data(i), epoll.flags(i)] as const).toSorted(
          ([a], [b]) => a - b,
        );
      expect(seen()).toEqual(
        [
          [first, EPOLLOUT],
          [7, EPOLLOUT],
        ].toSorted(([a], [b]) => a! - b!),
      );
      const one = memory(8);
      one.writeBigUInt64LE(1n);
      libc().write(second, one, 8);
      epoll.modify(first, 0);
      epoll.remove(third);
      expect(seen()).toEqual([[0xfffffff0, EPOLLIN]]);
      expect(epoll.remove(third)).toBe(-1);
    } finally {
      for (const fd of fds) libc().close(fd);
      epoll.close();
    }
  });
});
