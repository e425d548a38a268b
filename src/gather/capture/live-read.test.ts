import { expect, test } from 'vitest';
import type { Frame } from '../../wire/pcap/frame.ts';
import type { LiveCapture } from './live.ts';
import { readLive } from './live-read.ts';

/** An interface that gives `atOnce` frames whenever it is asked, or none; `whenWaiting` is called each time that it is waited for. */
function flood(atOnce: () => number, whenWaiting: () => void = () => undefined): LiveCapture & { closed: number } {
  let left = 0;
  const live = {
    closed: 0,
    how: '',
    linkType: 1,
    snapLength: 128,
    next: (frame: Frame) => {
      if (left === 0) left = atOnce();
      if (left === 0) return false;
      left -= 1;
      frame.originalLength = 100;
      return true;
    },
    wait: () => {
      whenWaiting();
      return Promise.resolve();
    },
    ended: (): string | null => null,
    statistics: () => ({ packets: 0, drops: 0, freezes: 0 }),
    close: () => {
      live.closed += 1;
      return Promise.resolve(live.statistics());
    },
  };
  return live;
}

test('readLive() under a flood without end lets timers have their turn, and ends', async () => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 30);
  const live = flood(() => 1000);
  const { frames, octets, ended } = await readLive(live, () => undefined, { signal: stop.signal });
  clearTimeout(timer);
  expect(frames).toBeGreaterThan(0);
  expect(octets).toBe(100 * frames);
  expect(ended).toBeNull();
  expect(live.closed).toBeGreaterThan(0);
});

test('readLive() reads what the kernel had when it was stopped', async () => {
  const stop = new AbortController();
  let waits = 0;
  let given = 0;
  // Five come after the end, at the second time that it waits for them.
  const live = flood(
    () => (waits === 3 && given === 0 ? (given = 5) : 0),
    () => {
      waits += 1;
      stop.abort();
    },
  );
  const { frames } = await readLive(live, () => undefined, { signal: stop.signal });
  expect(frames).toBe(5);
});

test('readLive() says why an interface ended, and tells progress when nothing comes', async () => {
  let waits = 0;
  const live = flood(
    () => 0,
    () => (waits += 1),
  );
  live.ended = () => (waits >= 2 ? 'interface eth0: ENETDOWN' : null);
  const told: number[] = [];
  const read = await readLive(live, () => undefined, {
    signal: new AbortController().signal,
    onProgress: ({ frames }) => told.push(frames),
  });
  expect(read).toMatchObject({ frames: 0, ended: 'interface eth0: ENETDOWN' });
  expect(told).toEqual([0, 0]);
});

test('readLive() closes the capture when a frame is too much for whoever takes it', async () => {
  const live = flood(() => 1);
  const taking = readLive(
    live,
    () => {
      throw new Error('full');
    },
    { signal: new AbortController().signal },
  );
  await expect(taking).rejects.toThrow('full');
  expect(live.closed).toBe(1);
});
