import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

let built: Promise<string> | null = null;

/** Builds the server once. @throws where Go is not installed, or does not build it */
export function goServer(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const binary = join(await mkdtemp(join(tmpdir(), 'capture-truth-go-')), 'server');
  const source = fileURLToPath(new URL('server.go', import.meta.url));
  await promisify(execFile)('go', ['build', '-o', binary, source]);
  return binary;
}

/** Why there is none; null: there is. */
export async function noGo(): Promise<string | null> {
  try {
    await promisify(execFile)('go', ['version']);
    return null;
  } catch {
    return 'Go is not installed (golang-go of Debian)';
  }
}
