import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { serviceManager } from './service-manager.ts';

async function started(env: Record<string, string>, send?: (socket: string, state: string) => void) {
  const io = fakeIo({ env });
  const told: [socket: string, state: string][] = [];
  const manager = await serviceManager(io, send ?? ((socket, state) => void told.push([socket, state])));
  return { manager, told, stderr: () => io.stderr() };
}

describe('serviceManager', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says nothing where nobody asked', async () => {
    const { manager, told } = await started({});
    manager.ready('listening');
    manager.stopping();
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
  });

  it('tells once that it is ready, and that it stops', async () => {
    const { manager, told } = await started({ NOTIFY_SOCKET: '/run/systemd/notify' });
    manager.ready('listening\non');
    manager.ready('again');
    manager.stopping();
    expect(told).toEqual([
      ['/run/systemd/notify', 'READY=1\nSTATUS=listening on'],
      ['/run/systemd/notify', 'STOPPING=1'],
    ]);
  });

  it('feeds the watchdog twice per period, from when it is ready', async () => {
    const { manager, told } = await started({ NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '30000000' });
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
    manager.ready('');
    vi.advanceTimersByTime(60_000);
    expect(told.slice(1)).toEqual(Array.from({ length: 4 }, () => ['@n', 'WATCHDOG=1']));
  });

  it('leaves a watchdog alone that waits for another process', async () => {
    const { manager, told } = await started({ NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' });
    manager.ready('');
    vi.advanceTimersByTime(10_000);
    expect(told).toHaveLength(1);
  });

  it('goes on when it cannot be told', async () => {
    const { manager, stderr } = await started({ NOTIFY_SOCKET: '/gone' }, () => {
      throw new Error('sendto /gone: ENOENT');
    });
    manager.ready('');
    expect(stderr()).toContain('the service manager was not told READY: sendto /gone: ENOENT');
  });
});
