import { Agent, createServer as createHttpServer, request } from 'node:http';
import { connect, createServer } from 'node:net';

// A relay that gives no hint of itself. Usage: node proxy.mjs MODE PORT UPSTREAM_HOST UPSTREAM_PORT
//   tcp     relays bytes; each connection gets one of its own to the server
//   http    ends HTTP and keeps connections to the server open, as gateways do
//   gate    like http, but refuses what is not POST itself, so that the way behind it never shows
//   buffer  like http, but holds bytes of an answer back until there are 4 KB or 200 ms have passed
const [mode, port, host, upstreamPort] = process.argv.slice(2);
const HOLD_BYTES = 4096;
const HOLD_MS = 200;
const upstream = { host, port: Number(upstreamPort) };

if (mode === 'tcp')
  createServer({ noDelay: true }, (near) => {
    const far = connect({ ...upstream, noDelay: true });
    near.pipe(far);
    far.pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  }).listen(Number(port));
else {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  createHttpServer({ noDelay: true }, (incoming, outgoing) => {
    if (mode === 'gate' && incoming.method !== 'POST') {
      incoming.resume();
      outgoing.writeHead(405).end();
      return;
    }
    const onward = request(
      { ...upstream, agent, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        if (mode === 'buffer') holdBack(answer, outgoing);
        else answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }).listen(Number(port));
}

/** @param {import('node:http').IncomingMessage} answer @param {import('node:http').ServerResponse} outgoing */
function holdBack(answer, outgoing) {
  /** @type {Buffer[]} */
  let held = [];
  let bytes = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const release = () => {
    clearTimeout(timer);
    timer = undefined;
    if (bytes > 0) outgoing.write(Buffer.concat(held));
    held = [];
    bytes = 0;
  };
  answer.on('data', (/** @type {Buffer} */ chunk) => {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes >= HOLD_BYTES) release();
    else timer ??= setTimeout(release, HOLD_MS);
  });
  answer.on('end', () => {
    release();
    outgoing.end();
  });
}
