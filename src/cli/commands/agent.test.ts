import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from '../../../test/fixtures/cli.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'inferpath-agent-'));
});
afterEach(() => {
  rmSync(state, { recursive: true });
});

const identity = {
  version: 1,
  name: 'branch-7',
  server: 'https://127.0.0.1:1',
  key: 'none',
  certificate: 'none',
  authorities: 'none',
  renewAtMs: 0,
};

test('an agent whose spool cannot be opened says so, leaves what is there alone, and ends with 3', async () => {
  writeFileSync(join(state, 'identity.json'), JSON.stringify(identity));
  writeFileSync(join(state, 'spool'), 'no folder');
  const { code, stderr } = await cli(['agent', '--state', state]);
  expect(code).toBe(3);
  expect(stderr).toContain(join(state, 'spool'));
  expect(readFileSync(join(state, 'spool'), 'utf8')).toBe('no folder');
});

test('an agent without an identity, or with one that is none, is wrong use: 2', async () => {
  const none = await cli(['agent', '--state', join(state, 'new')]);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('holds no identity of an agent');
  writeFileSync(join(state, 'identity.json'), '{}');
  const broken = await cli(['agent', '--state', state]);
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain('remove it and enrol again');
});
