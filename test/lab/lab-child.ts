import { readlinkSync } from 'node:fs';
import { startLab } from '../../src/lab/lab.ts';
import { labIo } from './lab-io.ts';

/**
 * A lab in a process of its own, for tests that kill it or run it elsewhere: `ping` prints the result of a ping as JSON and
 * ends; `stay` starts a long command, prints its pid and namespaces, and stays until killed.
 */
const lab = await startLab(
  { hosts: [{ name: 'a' }, { name: 'b' }], links: [{ a: 'a', b: 'b', delayMs: 3 }] },
  { io: labIo },
);
const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

if (process.argv[2] === 'stay') {
  const child = lab.spawn('a', ['sleep', '600'], { stdio: 'ignore' });
  const own = readlinkSync('/proc/self/ns/net');
  // The launcher needs a moment to move into the namespace.
  while (readlinkSync(`/proc/${child.pid}/ns/net`) === own) await labIo.clock.sleep(5);
  say({ pid: child.pid, namespace: readlinkSync(`/proc/${child.pid}/ns/net`) });
} else {
  const result = await lab.run('a', ['ping', '-c', '3', '-i', '0.2', '{b}']);
  const stats = await lab.stop();
  say({ code: result.code, stdout: result.stdout, delivered: stats.totals.delivered });
}
