import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare, describe } from '../compat/compare.ts';
import { conversations } from '../compat/conversations.ts';

/** The rules are those of this release; others have others. */
const version = spawnSync('tshark', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const hasPeer = version.startsWith('TShark (Wireshark) 4.0.');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compat-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(!hasPeer).each([1, 2, 8])(
  'conversations full of odd segments are judged as tshark 4.0 judges them, each flag of each segment (seed %i; needs tshark 4.0)',
  async (seed) => {
    const file = join(folder, `${seed}.pcap`);
    writeFileSync(file, conversations(seed));
    const { differences, missing, packets, flags } = await compare(file);
    expect(differences.map(describe)).toEqual([]);
    expect(missing).toBe(0);
    expect(packets).toBe(3000);
    expect(flags).toBeGreaterThan(2000);
  },
);
