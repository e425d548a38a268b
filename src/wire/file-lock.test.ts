import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockFile } from './file-lock.ts';

test.skipIf(process.platform !== 'linux')(
  'one process at a time holds a file, and a process that was killed holds none',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'inferpath-lock-'));
    const path = join(directory, 'lock');
    // flock(1) of util-linux is the other process.
    spawnSync('flock', ['-n', path, 'sh', '-c', 'kill -9 $$']);
    expect(lockFile(path, 'linux')).toBe(true);
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
    expect(lockFile(path, 'linux')).toBe(false);
    expect(lockFile(path, 'darwin')).toBe(true);
    rmSync(directory, { recursive: true, force: true });
  },
);
