import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool, skipWithout } from '../fixtures/tools.ts';

const folder = fileURLToPath(new URL('../../deploy/systemd', import.meta.url));
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));

/** Of 10, as systemd 252 counts; what is left, and why, is told in docs/deployment.md. */
const exposure = { 'inferpath-server.service': 1.1, 'inferpath-agent.service': 2 } as Record<string, number>;

describe.skipIf(skipWithout('systemd-analyze', 'package systemd'))('units of systemd', () => {
  let copies: string;

  beforeAll(() => {
    copies = mkdtempSync(join(tmpdir(), 'inferpath-units-'));
    // A checkout installs nothing: the program only has to exist for `verify`.
    for (const unit of units)
      writeFileSync(
        join(copies, unit),
        readFileSync(join(folder, unit), 'utf8').replaceAll('/usr/local/bin/inferpath', process.execPath),
      );
  });
  afterAll(() => rmSync(copies, { recursive: true, force: true }));

  it('are those that the documentation speaks of', () => {
    expect(units.sort()).toEqual(Object.keys(exposure).sort());
  });

  it.each(units)('%s has nothing that systemd does not understand', (unit) => {
    const { code, output } = runTool('systemd-analyze', ['verify', '--man=no', join(copies, unit)]);
    // Other units of this machine may be worth a warning; they are not ours.
    expect(output.split('\n').filter((line) => line.includes('inferpath'))).toEqual([]);
    expect(code).toBe(0);
  });

  it.each(units)('%s leaves little open', (unit) => {
    const { stdout } = runTool('systemd-analyze', ['security', '--offline=true', '--no-pager', join(copies, unit)]);
    const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(level).toBeLessThanOrEqual(exposure[unit] ?? 0);
    expect(level).toBeGreaterThan(0);
  });

  it('gives the agent raw packets and the server nothing', () => {
    const capabilities = (unit: string) =>
      /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(join(folder, unit), 'utf8'))?.[1];
    expect(capabilities('inferpath-agent.service')).toBe('CAP_NET_RAW');
    expect(capabilities('inferpath-server.service')).toBe('');
  });
});
