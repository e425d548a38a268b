import { connect, createServer } from 'node:net';

// Competing traffic, bounded: `bulk.mjs sink PORT` swallows; `bulk.mjs send HOST PORT ON_MS OFF_MS` sends over one TCP connection
// as fast as it goes for ON_MS, pauses OFF_MS, and ends after two minutes at the latest.
const LIMIT_MS = 120_000;
const CHUNK = Buffer.alloc(16 << 10);
const [mode, ...rest] = process.argv.slice(2);

setTimeout(() => process.exit(0), LIMIT_MS);
if (mode === 'sink') createServer((socket) => socket.on('error', () => {}).resume()).listen(Number(rest[0]));
else {
  const [host, port, onMs, offMs] = rest;
  const socket = connect({ host, port: Number(port) });
  const startMs = performance.now();
  const period = Number(onMs) + Number(offMs);
  socket.on('error', () => process.exit(0));
  const push = () => {
    const inPeriodMs = (performance.now() - startMs) % period;
    if (inPeriodMs >= Number(onMs)) setTimeout(push, period - inPeriodMs);
    else socket.write(CHUNK, push);
  };
  socket.on('connect', push);
}
