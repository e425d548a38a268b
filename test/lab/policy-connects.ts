/**
 * Opens TCP connections and UDP flows from many addresses to many others and notes what the kernel says: in a namespace that
 * policy-kernel.test.ts has made. Prints one letter per point: d denied, a allowed, ? anything else.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

export type ConnectPoint = [protocol: 'tcp' | 'udp', family: 4 | 6, src: string, dst: string, port: number];

const points = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ConnectPoint[];
const answers = points.map(() => '?');
const patienceMs = 20_000;
// An administrative rejection arrives as EHOSTUNREACH over IPv4 and as EACCES over IPv6; nobody listens, so that passing is a refusal.
const letters = new Map([
  ['EHOSTUNREACH', 'd'],
  ['EACCES', 'd'],
  ['ECONNREFUSED', 'a'],
]);
const letterOf = ({ code }: NodeJS.ErrnoException) => letters.get(code ?? '') ?? '?';

function askTcp([, , localAddress, host, port]: ConnectPoint): Promise<string> {
  return new Promise((done) => {
    const socket = connect({ host, port, localAddress, timeout: patienceMs });
    const end = (letter: string) => {
      socket.destroy();
      done(letter);
    };
    socket.on('error', (error) => end(letterOf(error)));
    socket.on('connect', () => end('a'));
    socket.on('timeout', () => end('?'));
  });
}

function askUdp([, family, src, dst, port]: ConnectPoint): Promise<string> {
  return new Promise((done) => {
    const socket = createSocket(`udp${family}`);
    const begun = performance.now();
    let again: NodeJS.Timeout | undefined;
    const end = (letter: string) => {
      clearTimeout(again);
      socket.close();
      done(letter);
    };
    const send = () => {
      if (performance.now() - begun > patienceMs) return end('?');
      // The callback has the errors that come at once, and nobody else has to hear of them.
      socket.send('?', (error) => error && socket.emit('error', error));
      again = setTimeout(send, 500);
    };
    socket.once('error', (error) => {
      socket.on('error', () => undefined);
      end(letterOf(error));
    });
    socket.bind({ address: src, port: 0 }, () => socket.connect(port, dst, send));
  });
}

// Many at once: an answer that the kernel holds back costs a second until the packet is sent again.
const waiting = points.entries();
const workers = Array.from({ length: 400 }, async () => {
  for (const [i, point] of waiting) answers[i] = await (point[0] === 'tcp' ? askTcp : askUdp)(point);
});
await Promise.all(workers);
process.stdout.write(answers.join(''));
