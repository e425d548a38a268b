import type { TopologyInput } from '../../src/lab/topology.ts';

type Links = NonNullable<TopologyInput['links']>;
type LinkConditions = Omit<Links[number], 'a' | 'b'>;

/** One network, one server, one way to ask. Hosts are always `client` and `server`; `middle`, `near` and `far` where named. */
export interface Scenario {
  name: string;
  about: string;
  /** Seed of the lab's losses and jitter and of the server's draws. */
  seed: number;
  links: Links;
  routers?: string[];
  /** Relay on host `middle`, which the client then talks to. */
  proxy?: 'tcp' | 'http' | 'gate' | 'buffer';
  /** Competing TCP traffic between the hosts `near` and `far`. */
  bulk?: { from: 'near' | 'far'; onMs: number; offMs: number };
  /** Flags of `inferpath reflect`. */
  server: string[];
  /** Flags of `inferpath infer`. */
  client: string[];
  family?: 4 | 6;
  tls?: boolean;
  busyClient?: boolean;
  /** Why no outside observer could get this one right; it is shown, and kept out of the goals. */
  blindSpot?: string;
}

const direct = (conditions: LinkConditions): Pick<Scenario, 'links'> => ({
  links: [{ a: 'client', b: 'server', ...conditions }],
});
/** Client and `near` share the narrow link in the middle with server and `far`. */
const shared = (conditions: LinkConditions): Pick<Scenario, 'links' | 'routers'> => ({
  routers: ['west', 'east'],
  links: [
    { a: 'client', b: 'west' },
    { a: 'near', b: 'west' },
    { a: 'west', b: 'east', ...conditions },
    { a: 'east', b: 'server' },
    { a: 'east', b: 'far' },
  ],
});
const middle = (nearMs: number, farMs: number): Pick<Scenario, 'links'> => ({
  links: [
    { a: 'client', b: 'middle', delayMs: nearMs },
    { a: 'middle', b: 'server', delayMs: farMs },
  ],
});

const steady = ['--queue-ms', 'uniform:20,60', '--token-ms', '15', '--tokens', '24'];
const slow = ['--queue-ms', 'lognormal:500,0.4', '--token-ms', '15', '--tokens', '24'];
const stalling = [...steady, '--stall', '0.02:300'];
/** About seven requests in flight, never in step with each other. */
const steadily = ['--rate', '16', '--concurrency', '12'];

/** RTT in names; every seed is fixed. */
export const scenarios: readonly Scenario[] = [
  { name: 'rtt-1', about: 'RTT 1 ms', seed: 101, ...direct({ delayMs: 0.5 }), server: steady, client: steadily },
  { name: 'rtt-10', about: 'RTT 10 ms', seed: 102, ...direct({ delayMs: 5 }), server: steady, client: steadily },
  { name: 'rtt-50', about: 'RTT 50 ms', seed: 103, ...direct({ delayMs: 25 }), server: steady, client: steadily },
  { name: 'rtt-200', about: 'RTT 200 ms', seed: 104, ...direct({ delayMs: 100 }), server: steady, client: steadily },
  {
    name: 'jitter',
    about: 'RTT 50 ms, jitter 20 ms each way',
    seed: 105,
    ...direct({ delayMs: 25, jitterMs: 20 }),
    server: steady,
    client: steadily,
  },
  {
    name: 'loss-1',
    about: 'RTT 40 ms, 1 % random loss',
    seed: 106,
    ...direct({ delayMs: 20, loss: 0.01 }),
    server: steady,
    client: steadily,
  },
  {
    name: 'loss-3',
    about: 'RTT 40 ms, 3 % random loss',
    seed: 107,
    ...direct({ delayMs: 20, loss: 0.03 }),
    server: steady,
    client: steadily,
  },
  {
    name: 'loss-burst',
    about: 'RTT 40 ms, 2 % loss in bursts of 4',
    seed: 108,
    ...direct({ delayMs: 20, loss: { ratio: 0.02, meanBurst: 4 } }),
    server: steady,
    client: steadily,
  },
  {
    name: 'queue-down',
    about: 'RTT 20 ms, bulk download through the same 20 Mbit/s queue (100 ms)',
    seed: 109,
    ...shared({ delayMs: 10, rateMbit: 20, queueMs: 100 }),
    bulk: { from: 'far', onMs: 900, offMs: 600 },
    server: steady,
    client: steadily,
  },
  {
    name: 'queue-up',
    about: 'RTT 20 ms, bulk upload through the same 20 Mbit/s queue (100 ms)',
    seed: 110,
    ...shared({ delayMs: 10, rateMbit: 20, queueMs: 100 }),
    bulk: { from: 'near', onMs: 900, offMs: 600 },
    server: steady,
    client: steadily,
  },
  {
    name: 'slow-server',
    about: 'RTT 40 ms, server takes about 500 ms (lognormal)',
    seed: 111,
    ...direct({ delayMs: 20 }),
    server: slow,
    client: ['--rate', '12', '--concurrency', '16'],
  },
  {
    name: 'server-stalls',
    about: 'RTT 40 ms, server stalls 300 ms at 2 % of tokens',
    seed: 112,
    ...direct({ delayMs: 20 }),
    server: stalling,
    client: steadily,
  },
  {
    name: 'loss-and-stalls',
    about: 'RTT 40 ms, 2 % loss and server stalls',
    seed: 113,
    ...direct({ delayMs: 20, loss: 0.02 }),
    server: stalling,
    client: steadily,
  },
  {
    name: 'big-prompt',
    about: 'RTT 50 ms, 250 KB prompt, fresh connections',
    seed: 114,
    ...direct({ delayMs: 25 }),
    server: steady,
    client: ['--rate', '8', '--concurrency', '8', '--fresh', '--prompt-tokens', '62500'],
  },
  {
    name: 'proxy-tcp',
    about: 'TCP relay at RTT 2 ms, server 150 ms behind it, no hint in headers',
    seed: 115,
    ...middle(1, 75),
    proxy: 'tcp',
    server: steady,
    client: steadily,
  },
  {
    name: 'proxy-http',
    about: 'HTTP gateway at RTT 2 ms, server 150 ms behind it, no hint in headers',
    seed: 116,
    ...middle(1, 75),
    proxy: 'http',
    server: steady,
    client: steadily,
  },
  {
    name: 'proxy-buffer',
    about: 'gateway that holds answers back until 4 KB or 200 ms; RTT 20 ms in all',
    seed: 117,
    ...middle(9, 1),
    proxy: 'buffer',
    server: steady,
    client: steadily,
  },
  {
    name: 'busy-client',
    about: 'RTT 20 ms, main thread of the client busy 30 of every 50 ms',
    seed: 118,
    ...direct({ delayMs: 10 }),
    server: steady,
    client: ['--rate', '8', '--concurrency', '8'],
    busyClient: true,
  },
  {
    name: 'reported-body',
    about: 'RTT 50 ms, 1 % loss, server reports its times in the last event',
    seed: 119,
    ...direct({ delayMs: 25, loss: 0.01 }),
    server: [...steady, '--server-times', 'body'],
    client: steadily,
  },
  {
    name: 'reported-headers',
    about: 'RTT 50 ms, 1 % loss, server reports processing time in a header',
    seed: 120,
    ...direct({ delayMs: 25, loss: 0.01 }),
    server: [...steady, '--server-times', 'headers'],
    client: steadily,
  },
  {
    name: 'fresh',
    about: 'RTT 50 ms, a fresh connection for every request',
    seed: 121,
    ...direct({ delayMs: 25 }),
    server: steady,
    client: [...steadily, '--fresh'],
  },
  {
    name: 'fresh-loss',
    about: 'RTT 40 ms, 2 % loss, fresh connections',
    seed: 122,
    ...direct({ delayMs: 20, loss: 0.02 }),
    server: steady,
    client: [...steadily, '--fresh'],
  },
  {
    name: 'ipv6',
    about: 'RTT 50 ms over IPv6, 1 % loss',
    seed: 123,
    ...direct({ delayMs: 25, loss: 0.01 }),
    server: steady,
    client: steadily,
    family: 6,
  },
  {
    name: 'tls',
    about: 'RTT 50 ms, TLS, fresh connections',
    seed: 124,
    ...direct({ delayMs: 25 }),
    server: steady,
    client: ['--rate', '10', '--concurrency', '12', '--fresh'],
    tls: true,
  },
  {
    name: 'http2',
    about: 'RTT 50 ms, 8 streams on one HTTP/2 connection, 1 % loss',
    seed: 125,
    ...direct({ delayMs: 25, loss: 0.01 }),
    server: steady,
    client: [...steadily, '--http2'],
    tls: true,
  },
  {
    name: 'no-tap',
    about: 'RTT 40 ms, 1 % loss, without the tap (no CAP_NET_RAW)',
    seed: 126,
    ...direct({ delayMs: 20, loss: 0.01 }),
    server: steady,
    client: [...steadily, '--no-tap'],
  },
  {
    name: 'proxy-gate',
    about: 'as proxy-http, but the gateway refuses the trivial question itself',
    seed: 127,
    ...middle(1, 75),
    proxy: 'gate',
    server: steady,
    client: steadily,
    blindSpot: 'TCP, its clocks and the trivial question all end at the gateway, and no header names it',
  },
];
