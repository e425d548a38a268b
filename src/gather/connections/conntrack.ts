import { found } from '../topology/parsed.ts';
import type { Connection, ConnectionReader, ConnectionState, Endpoint } from './connection.ts';
import { canonicalAddress, portNumber, protocolName } from './endpoint.ts';

const states: Record<string, ConnectionState> = {
  NONE: 'unknown',
  SYN_SENT: 'opening',
  SYN_SENT2: 'opening',
  SYN_RECV: 'opening',
  ESTABLISHED: 'established',
  FIN_WAIT: 'closing',
  CLOSE_WAIT: 'closing',
  LAST_ACK: 'closing',
  TIME_WAIT: 'closing',
  CLOSE: 'closed',
};

/** `[1700000000.123456]` and `[NEW]` of `conntrack -E -o timestamp`, `ipv4 2` of `-o extended`, then protocol, its number, a timeout. */
const start =
  /^\s*(?:\[(\d{1,12}(?:\.\d{1,9})?)\s*\]\s*)?(?:\[(NEW|UPDATE|DESTROY)\]\s*)?(?:ipv[46]\s+\d+\s+)?([a-z][a-z0-9-]{0,15}|unknown)\s+(\d{1,3})\s+(?:(\d+)\s+)?(.*)$/;

interface Tuple {
  src?: string;
  dst?: string;
  sport?: string;
  dport?: string;
  bytes?: string;
  type?: string;
}

/**
 * `conntrack -L` or `-E`, with or without `-o extended`, and /proc/net/nf_conntrack. The first tuple is the opener's, so the direction is
 * known; the reply's source is where the packets really went, which differs behind address translation.
 */
export const conntrackReader: ConnectionReader = {
  format: 'conntrack',
  about: 'conntrack -L -o extended or -E of Linux, /proc/net/nf_conntrack',
  detect: (head) =>
    /^\s*(?:\[[^\]]*\]\s*)*(?:ipv[46]\s+\d+\s+)?[a-z]+\s+\d+\s.*\bsrc=\S+ dst=\S+.*\bsrc=\S+ dst=/m.test(head)
      ? { confidence: 1, why: 'two tuples of conntrack on a line' }
      : { confidence: 0, why: '' },
  open: ({ source, atMs }, sink) => ({
    line: (text, line) => {
      if (text.trim() === '' || /^conntrack v\S+ \(conntrack-tools\)/.test(text)) return;
      const match = text.length > 4000 ? null : start.exec(text);
      const tuples = match ? tuplesOf(match[6]!) : null;
      if (!match || !tuples) {
        sink.mistake(
          line,
          'row',
          `${found(text)}; allowed: a protocol and two tuples src= dst= as conntrack -L prints`,
        );
        return;
      }
      const [, stamp, event, , number] = match;
      const time = stamp === undefined ? atMs : Number(stamp) * 1000;
      const one = connectionOf(tuples, protocolName(number), time, source, line);
      if (!one) {
        sink.mistake(line, 'address', `${found(match[6])}; allowed: addresses and ports as numbers`);
        return;
      }
      if (event === 'DESTROY') one.state = 'closed';
      else one.state = stateOf(match[6]!, one.protocol);
      sink.connection(one);
    },
    end: () => undefined,
  }),
};

function stateOf(rest: string, protocol: string): ConnectionState {
  const word = /^([A-Z][A-Z0-9_]*)\s/.exec(rest)?.[1];
  if (word !== undefined) return states[word] ?? 'unknown';
  if (protocol === 'tcp') return 'unknown';
  return rest.includes('[UNREPLIED]') ? 'opening' : 'established';
}

function tuplesOf(rest: string): [Tuple, Tuple] | null {
  const tuples: Tuple[] = [];
  for (const [, key, value] of rest.matchAll(/\b(src|dst|sport|dport|bytes|type)=(\S+)/g)) {
    if (key === 'src') tuples.push({});
    const last = tuples.at(-1);
    if (!last) return null;
    last[key as keyof Tuple] ??= value!;
  }
  return tuples.length === 2 ? (tuples as [Tuple, Tuple]) : null;
}

function connectionOf(
  [original, reply]: [Tuple, Tuple],
  protocol: string | null,
  atMs: number | null,
  source: string,
  line: number,
): Connection | null {
  const opener = endpoint(original.src, original.sport);
  const wanted = endpoint(original.dst, original.dport);
  const server = endpoint(reply.src, reply.sport);
  // ICMP has a type in place of a port; that of the question is what a policy knows.
  if (protocol?.startsWith('icmp') && server && wanted) server.port = wanted.port = portNumber(original.type) ?? 0;
  if (!opener || !wanted || !server || protocol === null) return null;
  const one: Connection = {
    protocol,
    local: opener,
    remote: server,
    direction: 'through',
    state: 'unknown',
    atMs,
    how: `${source}; the first tuple is the opener's`,
    line,
  };
  if (server.address !== wanted.address || server.port !== wanted.port) one.translatedFrom = wanted;
  if (/^\d{1,15}$/.test(original.bytes ?? '')) one.bytesOut = Number(original.bytes);
  if (/^\d{1,15}$/.test(reply.bytes ?? '')) one.bytesIn = Number(reply.bytes);
  return one;
}

function endpoint(addressWord: string | undefined, portWord = '0'): Endpoint | null {
  const address = addressWord === undefined ? null : canonicalAddress(addressWord);
  const port = portNumber(portWord);
  return address === null || port === null ? null : { address, port };
}
