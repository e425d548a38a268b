import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { durableFiles } from '../../wire/durable-files.ts';
import { Spool, spoolLimits } from './spool.ts';

const directory = mkdtempSync(join(tmpdir(), 'inferpath-spool-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the writer and kills it (SIGKILL) once it has told `lines` lines and `extraMs` more have passed. */
function oneLife(script: string, spool: string, life: number, lines: number, extraMs: number): Promise<string> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, spool, String(life)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    let isDying = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (isDying || told.split('\n').length <= lines) return;
      isDying = true;
      setTimeout(() => child.kill('SIGKILL'), extraMs);
    });
    child.on('close', () => done(told));
  });
}

test(
  'a process that is killed at any moment leaves every promised batch whole and once',
  { timeout: 60_000 },
  async () => {
    const script = join(directory, 'writer.mjs');
    buildSync({
      entryPoints: [fileURLToPath(new URL('../../../test/fakes/spool-writer.ts', import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      logLevel: 'error',
    });
    const path = join(directory, 'spool');
    const promised = new Set<string>();
    const handedOver = new Set<string>();
    for (let life = 0; life < 15; life++) {
      const told = await oneLife(script, path, life, (life * 5) % 23, (life * 37) % 11);
      for (const [, sign, key] of told.matchAll(/^([+-]) (\S+)$/gm)) (sign === '+' ? promised : handedOver).add(key!);
      expect(told).not.toMatch(/^[?!]/m);
      const spool = await Spool.open(durableFiles, path, spoolLimits);
      const found: string[] = [];
      for (let entry = spool.take(); entry; entry = spool.take()) {
        const batch = await spool.read(entry);
        expect(batch?.key).toBe(entry.key);
        expect(Buffer.from(batch!.payload).every((octet) => octet === ((batch!.samples - 1) & 0xff))).toBe(true);
        found.push(entry.key);
      }
      expect(new Set(found).size, 'doubled').toBe(found.length);
      for (const key of promised)
        expect(found.includes(key) || handedOver.has(key), `lost ${key} in life ${life}`).toBe(true);
      expect(spool.figures().quarantined.batches).toBe(0);
    }
    expect(promised.size).toBeGreaterThan(100);
  },
);
