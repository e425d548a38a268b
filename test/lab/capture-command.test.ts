import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { captureReport } from '../../src/model/capture/report.ts';
import { startCli } from '../fixtures/cli.ts';
import { packsOf } from '../fixtures/capture-mutants.ts';
import { programFromSource } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

/** The command on the loopback of a namespace of its own, in which nobody else sends anything. */
describe.skipIf(skipLab)('inferpath capture on an interface', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-capture-live-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Starts the command beside a ping that does not end before it. */
  function start(...args: string[]) {
    const script = `ip link set lo up; ping -q -i 0.01 -s 400 127.0.0.1 >/dev/null & ping=$!; "$@" & child=$!; trap 'kill -INT $child' INT; wait $child; wait $child; code=$?; kill $ping; exit $code`;
    // From source, for the reason that test/e2e/schema.test.ts gives of `capture-flows`.
    return startCli(['capture', 'lo', ...args], {
      cwd: folder,
      before: ['unshare', '-n', 'sh', '-c', script, 'sh'],
      program: programFromSource,
    });
  }

  test('Ctrl-C prints what it has, exits with 130 and leaves nothing', async () => {
    const running = start('--json');
    await running.said('listening on lo');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running.child.kill('SIGINT');
    const { stdout, code, stderr } = await running.ended;
    expect(code, stderr).toBe(130);
    const { interrupted, packets, quality } = captureReport.parse(JSON.parse(stdout));
    expect(interrupted).toBe(true);
    expect(packets).toBeGreaterThanOrEqual(10);
    expect(quality.recordedDrops).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('--write keeps the newest packets in files of a bounded size, cut short, for nobody else to read', async () => {
    const running = start(
      '--duration',
      '5',
      '--write',
      'kept',
      '--file-size',
      '0.01',
      '--files',
      '2',
      '--snaplen',
      '96',
    );
    const { stderr, code, stdout } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/\d+ packets written to 2 files \(kept-\S+ kept-\S+\), \d+ older files deleted/);
    const names = readdirSync(folder).toSorted();
    expect(names).toHaveLength(2);
    const packs = names.flatMap((name) => {
      const path = join(folder, name);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(path).size).toBeLessThanOrEqual(10_000);
      return packsOf(readFileSync(path));
    });
    expect(packs.length).toBeGreaterThan(60);
    for (const { bytes, originalLength } of packs) {
      expect(bytes.length).toBeLessThanOrEqual(96);
      expect(originalLength).toBeGreaterThan(400);
    }
    // The last that was seen is the last that was kept.
    const last = packs.at(-1)!;
    expect(Date.now() / 1000 - last.seconds).toBeLessThan(60);
    expect(stdout).toMatch(/\d+ packets/);
  });
});
