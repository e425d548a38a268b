import { connect } from 'node:net';

// The best peer's evidence: once a second one TCP connection of its own, timed by the event loop. Prints each in ms until killed
// (or two minutes have passed). Usage: node handshakes.mjs HOST PORT
const [host, port] = process.argv.slice(2);
const EVERY_MS = 1000;
const GIVE_UP_MS = 5000;

const one = () => {
  const startMs = performance.now();
  const socket = connect({ host, port: Number(port) }, () => {
    process.stdout.write(`${(performance.now() - startMs).toFixed(3)}\n`);
    socket.destroy();
  });
  socket.setTimeout(GIVE_UP_MS, () => socket.destroy());
  socket.on('error', () => {});
};
one();
setInterval(one, EVERY_MS);
setTimeout(() => process.exit(0), 120_000);
