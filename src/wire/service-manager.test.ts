import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { SystemCallError } from './libc.ts';
import { notifyServiceManager } from './service-manager.ts';

/** Node has no datagram sockets of this family, so another program hears what we send. */
const listener = `
import socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + name[1:] if name[0] == '@' else name)
s.settimeout(10)
print('bound', flush=True)
print(repr(s.recv(4096)), flush=True)
`;

async function heard(name: string, state: string): Promise<string> {
  const child = spawn('python3', ['-c', listener, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  notifyServiceManager(name, state);
  const { value } = (await lines.next()) as { value: string };
  await once(child, 'exit');
  return value;
}

describe.skipIf(process.platform !== 'linux')('notifyServiceManager', () => {
  it('reaches a socket with a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-notify-'));
    try {
      expect(await heard(join(folder, 'notify'), 'READY=1\nSTATUS=on')).toBe(String.raw`b'READY=1\nSTATUS=on'`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reaches a socket of the abstract namespace, which is named without a zero at its end', async () => {
    expect(await heard(`@inferpath-test-${process.pid}`, 'WATCHDOG=1')).toBe("b'WATCHDOG=1'");
  });

  it('says what it could not reach', () => {
    expect(() => notifyServiceManager('/nonexistent/notify', 'READY=1')).toThrow(SystemCallError);
  });

  it.each(['', 'run/notify', `/${'x'.repeat(108)}`, '/a\0b'])('refuses %j, which is no socket', (name) => {
    expect(() => notifyServiceManager(name, 'READY=1')).toThrow(RangeError);
  });
});
