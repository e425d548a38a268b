import type { TopologyInput } from '../../src/lab/topology.ts';

type Link = Omit<NonNullable<TopologyInput['links']>[number], 'a' | 'b'>;

/** What a run is put through. The path has a round trip of 40 ms; tokens come every 20 ms. */
export interface Condition {
  name: string;
  about: string;
  link: Link;
  family?: 4 | 6;
  timestamps?: false;
  /** Further flags of `inferpath infer`. */
  client?: string[];
  /** Another server than `inferpath reflect`, which is Node over OpenSSL: Go's net/http over its own crypto/tls. */
  server?: 'go' | 'go-http2';
  /** Tokens of an answer. */
  tokens?: number;
}

const delayMs = 20;

export const conditions: readonly Condition[] = [
  { name: 'clean', about: 'nothing goes wrong but the server’s own stalls', link: { delayMs } },
  { name: 'loss', about: '2 % loss', link: { delayMs, loss: 0.02 } },
  {
    name: 'burst',
    about: '2 % loss, three in a row on average',
    link: { delayMs, loss: { ratio: 0.02, meanBurst: 3 } },
  },
  { name: 'reorder', about: '2 % held back by 25 ms', link: { delayMs, reorder: 0.02, reorderMs: 25 } },
  {
    name: 'both',
    about: '1 % loss, 1 % held back by 25 ms',
    link: { delayMs, loss: 0.01, reorder: 0.01, reorderMs: 25 },
  },
  { name: 'tail', about: '5 % loss, answers of 6 tokens', link: { delayMs, loss: 0.05 }, tokens: 6 },
  { name: 'jitter', about: '1 % loss, up to 10 ms of jitter', link: { delayMs, loss: 0.01, jitterMs: 10 } },
  { name: 'no-timestamps', about: '2 % loss, TCP timestamps off', link: { delayMs, loss: 0.02 }, timestamps: false },
  {
    name: 'no-timestamps-both',
    about: '1 % loss, 1 % held back by 25 ms, TCP timestamps off',
    link: { delayMs, loss: 0.01, reorder: 0.01, reorderMs: 25 },
    timestamps: false,
  },
  { name: 'ipv6', about: '2 % loss over IPv6', link: { delayMs, loss: 0.02 }, family: 6 },
  {
    name: 'http2',
    about: '2 % loss, HTTP/2, a connection for each request',
    link: { delayMs, loss: 0.02 },
    client: ['--http2', '--fresh'],
  },
  {
    name: 'http2-at-once',
    about: '2 % loss, HTTP/2, ten requests at once on a connection',
    link: { delayMs, loss: 0.02 },
    client: ['--http2'],
  },
  {
    name: 'kept-alive',
    about: '2 % loss, HTTP/1.1, connections used again',
    link: { delayMs, loss: 0.02 },
    client: [],
  },
  { name: 'tls-go', about: '2 % loss, TLS of Go', link: { delayMs, loss: 0.02 }, server: 'go' },
  {
    name: 'http2-go',
    about: '2 % loss, HTTP/2 and TLS of Go, connections used again',
    link: { delayMs, loss: 0.02 },
    server: 'go-http2',
    client: ['--http2'],
  },
];
