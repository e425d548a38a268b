import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Alert, AlertTransition, Notify } from '../../model/alert.ts';
import type { OutboxEntry } from '../../model/delivery.ts';
import { network, type Network } from '../../model/network.ts';
import type { Receiver } from '../../model/watch.ts';
import { noticeOf } from './notice.ts';
import type { Attempt } from './receiver.ts';

const beganMs = Date.UTC(2026, 0, 2, 3, 0, 0);

export function someAlert(change: Partial<Alert> = {}): Alert {
  return {
    id: 'a1b2',
    incident: 'a1b2-1767322800',
    rule: 'slo-burn',
    subject: 'chat-eu',
    severity: 'page',
    state: 'firing',
    sinceMs: beganMs,
    firedAtMs: beganMs + 60_000,
    toldAtMs: beganMs + 60_000,
    endedAtMs: null,
    changedAtMs: beganMs + 60_000,
    agents: ['berlin', 'paris'],
    endpoints: ['chat-eu'],
    suppressedBy: null,
    flapping: false,
    where: 'between 10.0.0.1 and the endpoint',
    blame: 'network',
    page: 'alerts/slo-burn.md',
    finding: {
      id: 'slo-burn',
      verdict: 'fail',
      severity: 'critical',
      pillar: 'reliability',
      subject: 'chat-eu',
      claim: '14.4 times too fast: 31 of 60 requests failed in an hour',
      details: ['It began at two agents in the same minute.'],
      evidence: [{ metric: 'bad_share', value: 0.516_666_7, unit: '', n: 60, how: 'tcp probes of two agents' }],
      confidence: 'high',
      coverage: 1,
      remedy: { text: 'Look at the last router that answers.' },
    },
    memory: {
      evaluatedAtMs: beganMs,
      badForMs: 0,
      goodForMs: 0,
      goodSinceMs: null,
      keepMs: 0,
      history: '1',
      historyAtMs: beganMs,
      members: [],
    },
    ...change,
  };
}

export function transition(notify: Notify, change: Partial<Alert> = {}, atMs = beganMs + 60_000): AlertTransition {
  return { atMs, before: null, notify, alert: someAlert(change) };
}

export function someNetwork(watch: unknown): Network {
  return network.parse({
    version: 1,
    endpoints: [
      { name: 'chat-eu', url: 'https://chat.example/v1' },
      { name: 'chat-us', url: 'https://us.example/v1' },
    ],
    watch,
  });
}

export function someEntry(change: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    key: 'msg_1',
    receiver: 'hook',
    action: 'fire',
    tellEnd: true,
    notice: noticeOf(transition('fire'), 'https://inferpath.example'),
    state: 'waiting',
    attempts: 0,
    madeAtMs: beganMs,
    nextAtMs: beganMs,
    claim: null,
    endedAtMs: null,
    last: null,
    ...change,
  };
}

export function someAttempt(action: 'fire' | 'resolve' = 'fire', change: Partial<Alert> = {}): Attempt {
  const atMs = action === 'fire' ? beganMs + 60_000 : beganMs + 600_000;
  const notice = noticeOf(transition(action, change, atMs), 'https://inferpath.example');
  return { key: `msg_${action}`, action, notice, atMs: Date.now() };
}

export const receiverOf = (receiver: unknown): Receiver => someNetwork({ receivers: [receiver] }).watch!.receivers[0]!;

export interface Heard {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** Name that the client asked for in TLS. */
  sni: string | null;
}

export interface Listener {
  url: string;
  port: number;
  heard: Heard[];
  close(): Promise<void>;
}

/** A receiver on loopback that answers as `answer` has it. */
export async function listener(
  answer: (response: ServerResponse, heard: Heard, n: number) => void,
  tls?: { cert: string; key: string },
): Promise<Listener> {
  const heard: Heard[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { servername } = request.socket as { servername?: string | false };
      const it = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        sni: servername || null,
      };
      heard.push(it);
      answer(response, it, heard.length);
    });
    response.on('error', () => undefined);
  };
  const server: Server = tls ? createTls(tls, handle) : createPlain(handle);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    heard,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
