import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { forms, throughCommand } from '../fixtures/capture-fuzz.ts';
import { drawFrom, fileOf, madeUp, mutantOf, packsOf } from '../fixtures/capture-mutants.ts';

// A part of bench/capture-fuzz, where a million of them go through.

const fixture = gunzipSync(readFileSync(new URL('../fixtures/captures/lost-and-late.pcapng.gz', import.meta.url)));

describe('hostile captures through the whole command', () => {
  test('two and a half thousand changed packets and files do no harm', async () => {
    const streams = packsOf(fixture);
    let mutated = 0;
    for (let seed = 1; mutated < 2500; seed++) {
      const draw = drawFrom(seed);
      const { file, changed, isBroken } = mutantOf(draw(2) === 0 ? streams : madeUp(draw, 200), draw);
      const { fault } = await throughCommand(file, forms[draw(forms.length)]!, draw);
      expect(fault, `seed ${seed}`).toBeNull();
      mutated += changed + (isBroken ? 1 : 0);
    }
  });

  test.each([
    ['pcap', (file: Buffer) => file, 'pcap'],
    ['pcapng', (file: Buffer) => file, 'pcapng'],
    ['pcap in gzip', (file: Buffer) => gzipSync(file), 'pcap'],
  ] as const)(
    'every beginning of a %s is read as far as it goes, and where it ends is told',
    async (_, wrap, format) => {
      const file = wrap(fileOf(packsOf(fixture, 4), format));
      const draw = drawFrom(1);
      for (let length = 0; length < file.length; length++) {
        const { fault, code } = await throughCommand(file.subarray(0, length), ['--json'], draw);
        expect(fault, `${length} octets`).toBeNull();
        expect([0, 2, 3]).toContain(code);
      }
      expect(await throughCommand(file, ['--json'], draw)).toMatchObject({ code: 0, fault: null, problem: null });
      const cut = await throughCommand(file.subarray(0, -9), ['--json'], draw);
      expect(cut).toMatchObject({ code: 0, problem: expect.stringMatching(/octet \d+/) });
    },
  );
});
