import { describe, expect, test } from 'vitest';
import { readStamp, stampReader, takeStamp } from './stamp.ts';

const day = { zoneMinutes: 60, dayMs: Date.UTC(2026, 10, 26, 12) };
const at = (text: string) => {
  const found = takeStamp(text, day);
  return found && [new Date(found.ms).toISOString(), found.rest];
};

describe('takeStamp()', () => {
  test.each([
    ['[1795731853.188185] 64 bytes', '2026-11-26T22:24:13.188Z', '64 bytes'],
    ['1795731853 64 bytes', '2026-11-26T22:24:13.000Z', '64 bytes'],
    ['2026-11-26 22:24:31 Reply', '2026-11-26T21:24:31.000Z', 'Reply'],
    ['2026-11-26T22:24:31.1234567+01:00 Reply', '2026-11-26T21:24:31.123Z', 'Reply'],
    ['[2026-11-26 22:24:31,500] - Reply', '2026-11-26T21:24:31.500Z', 'Reply'],
    ['2026-11-26T22:24:31Z: Reply', '2026-11-26T22:24:31.000Z', 'Reply'],
    ['26.11.2026 22:24:31,12 Antwort', '2026-11-26T21:24:31.120Z', 'Antwort'],
    ['11/26/2026 10:24:31 PM Reply', '2026-11-26T21:24:31.000Z', 'Reply'],
    ['11/26/2026 12:24:31 AM Reply', '2026-11-25T23:24:31.000Z', 'Reply'],
    ['26/11/2026 22:24:31 Réponse', '2026-11-26T21:24:31.000Z', 'Réponse'],
    ['Thu Nov 26 22:24:31 UTC 2026: x', '2026-11-26T22:24:31.000Z', 'x'],
    ['Nov 26 22:24:31 64 bytes', '2026-11-26T21:24:31.000Z', '64 bytes'],
    ['22:24:31.640123 64 bytes', '2026-11-26T21:24:31.640Z', '64 bytes'],
  ])('reads %s', (text, iso, rest) => {
    expect(at(text)).toEqual([iso, rest]);
  });

  test.each([
    '64 bytes from',
    '10.1.0.2 : 22.1',
    ' 1  10.2.0.1',
    '2026-13-26 22:24:31 x',
    '25:61:61 x',
    '31/31/2026 1:00:00',
  ])('finds no time in %s', (text) => {
    expect(at(text)).toBeNull();
  });
});

test('readStamp() wants nothing behind the time', () => {
  expect(readStamp('2026-11-26T22:24:31+0000', day)).toBe(Date.UTC(2026, 10, 26, 22, 24, 31));
  expect(readStamp('2026-11-26T22:24:31+0000 x', day)).toBeNull();
});

test('stampReader() gives times without a date the file’s day, and a new day where they jump back', () => {
  const read = stampReader({ zoneMinutes: 0, clock: { ms: Date.UTC(2026, 10, 27, 0, 0, 30), of: 'end' } });
  const days = ['23:59:59 a', '00:00:00 b', '00:00:01 c'].map((line) => new Date(read(line)?.ms ?? NaN).toISOString());
  expect(days).toEqual(['2026-11-26T23:59:59.000Z', '2026-11-27T00:00:00.000Z', '2026-11-27T00:00:01.000Z']);
});
