/** Child: node:http that does nothing but stamp each read and count its events. Arguments: streams, tokens, URLs. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { type ClientResult, monoMs } from './arrivals.ts';
import { Meter } from './meter.ts';

const [streams, tokens] = process.argv.slice(2, 4).map(Number) as [number, number];
const urls = process.argv.slice(4);
const agent = new Agent({ keepAlive: false });
const result: ClientResult = { arrivals: {}, events: 0, cpuMs: 0, elapsedMs: 0, starved: 0 };
const body = JSON.stringify({
  model: 'default',
  messages: [{ role: 'user', content: 'x'.repeat(80) }],
  max_tokens: tokens,
  stream: true,
});

const field = '"content":"';
const quote = 0x22;

function follow(url: string): Promise<void> {
  const id = randomUUID();
  const arrivals: number[] = [];
  result.arrivals[id] = arrivals;
  return new Promise((done, fail) => {
    const asked = request(`${url}/v1/chat/completions`, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, 'x-request-id': id },
    });
    asked.once('error', fail);
    asked.once('response', (response) => {
      response.on('data', (bytes: Buffer) => {
        const atMs = monoMs();
        // Every event that carries a token has content; the first one of this dialect has an empty one, the last has none.
        for (let at = bytes.indexOf(field); at >= 0; at = bytes.indexOf(field, at + field.length))
          if (bytes[at + field.length] !== quote) arrivals.push(atMs);
      });
      response.once('end', done);
      response.once('error', fail);
    });
    asked.end(body);
  });
}

const meter = new Meter();
await Promise.all(Array.from({ length: streams }, (_, i) => follow(urls[i % urls.length] as string)));
Object.assign(result, meter.read());
result.events = Object.values(result.arrivals).reduce((sum, list) => sum + list.length, 0);
process.stdout.write(JSON.stringify(result), () => process.exit(0));
