/**
 * Opens TCP connections from many addresses to many others and notes what the kernel says: in a namespace that
 * policy-kernel.test.ts has made. Prints one letter per point: d denied, a allowed, ? anything else.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const points = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as [src: string, dst: string, port: number][];
const answers = points.map(() => '?');
// An administrative rejection arrives as EHOSTUNREACH over IPv4 and as EACCES over IPv6; nobody listens, so that passing is a refusal.
const letters = new Map([
  ['EHOSTUNREACH', 'd'],
  ['EACCES', 'd'],
  ['ECONNREFUSED', 'a'],
]);

async function ask(i: number, [localAddress, host, port]: [string, string, number]): Promise<void> {
  answers[i] = await new Promise<string>((done) => {
    const socket = connect({ host, port, localAddress, timeout: 20_000 });
    const end = (letter: string) => {
      socket.destroy();
      done(letter);
    };
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(letters.get(code ?? '') ?? '?'));
    socket.on('connect', () => end('a'));
    socket.on('timeout', () => end('?'));
  });
}

// Many at once: an answer that the kernel holds back costs a second until the SYN is sent again.
const waiting = points.entries();
const workers = Array.from({ length: 400 }, async () => {
  for (const [i, point] of waiting) await ask(i, point);
});
await Promise.all(workers);
process.stdout.write(answers.join(''));
