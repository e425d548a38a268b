import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PageReceiver {
  url: string;
  /** Incident → idempotency keys under which it was told. */
  keys: Map<string, Set<string>>;
  /** Incident → rule and subject. */
  abouts: Map<string, string>;
  /** How many came, those that came again included. */
  messages(): number;
  close(): Promise<void>;
}

/** Takes pages; now and then late, so that a node dies between sending and knowing. */
export async function pageReceiver(random: () => number): Promise<PageReceiver> {
  const keys = new Map<string, Set<string>>();
  const abouts = new Map<string, string>();
  let messages = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { data } = JSON.parse(text) as { data: { incident: string; rule: string; subject: string } };
      messages++;
      abouts.set(data.incident, `${data.rule} ${data.subject}`);
      keys.set(data.incident, (keys.get(data.incident) ?? new Set()).add(String(request.headers['webhook-id'])));
      setTimeout(() => response.writeHead(204).end(), random() * 100);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    keys,
    abouts,
    messages: () => messages,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
