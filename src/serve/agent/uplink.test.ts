import { expect, test } from 'vitest';
import { virtualClock } from '../../../test/fakes/virtual-clock.ts';
import { Uplink } from './uplink.ts';

function make(answers: (place: string) => boolean) {
  const clock = virtualClock();
  const asked: string[] = [];
  const uplink = new Uplink(clock, async (place) => {
    asked.push(place);
    await Promise.resolve();
    return answers(place);
  });
  return { clock, asked, uplink };
}

test('without places to ask nothing is excused', async () => {
  const { uplink, asked } = make(() => false);
  expect(await uplink.wasDownSince(0)).toBe(false);
  expect(uplink.state).toBeNull();
  expect(asked).toEqual([]);
});

test('it is up when any place answers, down when none does', async () => {
  let good: string | null = 'b:1';
  const { uplink, clock } = make((place) => place === good);
  uplink.watch(['a:1', 'b:1']);
  expect(await uplink.wasDownSince(clock.monoMs())).toBe(false);
  expect(uplink.state).toBe('up');
  good = null;
  await clock.run(2000);
  expect(await uplink.wasDownSince(clock.monoMs())).toBe(true);
  expect(uplink.state).toBe('down');
});

test('what began while it was down is excused although it is up again', async () => {
  let isUp = false;
  const { uplink, clock } = make(() => isUp);
  uplink.watch(['a:1']);
  const beganMs = clock.monoMs();
  await clock.run(100);
  expect(await uplink.wasDownSince(beganMs)).toBe(true);
  isUp = true;
  await clock.run(5000);
  const laterMs = clock.monoMs();
  expect(await uplink.wasDownSince(beganMs)).toBe(true);
  expect(await uplink.wasDownSince(laterMs)).toBe(false);
});

test('a hundred failures at once are one question', async () => {
  const { uplink, asked, clock } = make(() => true);
  uplink.watch(['a:1']);
  await Promise.all(Array.from({ length: 100 }, () => uplink.wasDownSince(clock.monoMs())));
  expect(asked).toHaveLength(1);
});
