import { csvFields } from '../csv.ts';
import { decimal, found } from '../topology/parsed.ts';
import type { Connection, ConnectionReader, ConnectionState, Endpoint } from './connection.ts';
import { canonicalAddress, portNumber, protocolName } from './endpoint.ts';

/** Names of columns, small letters without `_`, `-` and spaces: nfdump 1.6 and 1.7, IPFIX, VPC flow logs of AWS, plain words. */
const columns = {
  src: [
    'sa',
    'srcaddr',
    'src',
    'srcip',
    'source',
    'sourceip',
    'sourceaddress',
    'sourceipv4address',
    'sourceipv6address',
    'srcip4',
  ],
  dst: [
    'da',
    'dstaddr',
    'dst',
    'dstip',
    'destination',
    'destip',
    'destinationip',
    'destinationaddress',
    'destinationipv4address',
    'destinationipv6address',
    'dstip4',
  ],
  srcPort: ['sp', 'srcport', 'sport', 'sourceport', 'sourcetransportport'],
  dstPort: ['dp', 'dstport', 'dport', 'destport', 'destinationport', 'destinationtransportport'],
  protocol: ['pr', 'proto', 'protocol', 'protocolidentifier', 'prot'],
  start: ['ts', 'start', 'firstseen', 'first', 'time', 'timestamp', 'flowstartmilliseconds', 'datefirstseen'],
  bytesOut: ['ibyt', 'bytes', 'inbyte', 'inbytes', 'octets', 'octetdeltacount', 'bytesout'],
  bytesIn: ['obyt', 'outbyte', 'outbytes', 'bytesin', 'reverseoctetdeltacount'],
  action: ['action'],
  status: ['logstatus'],
} as const;
type Column = keyof typeof columns;

const needed: readonly Column[] = ['src', 'dst', 'dstPort', 'protocol'];

/** Ports from which systems take the near end of a connection: IANA from 49152, Linux from 32768 on. */
const ephemeralFrom = 32_768;

/**
 * Flow records as CSV, known by their heading: `nfdump -o csv`, IPFIX exports, VPC flow logs (which are separated by spaces), own tables with
 * src, dst, src_port, dst_port, protocol. A record says from where to where packets went, not who opened: that is concluded from the
 * ports, and where they do not tell, the direction is unknown.
 */
export const flowCsvReader: ConnectionReader = {
  format: 'flow-csv',
  about: 'flow records as CSV: nfdump -o csv, IPFIX, VPC flow logs, or src,dst,src_port,dst_port,protocol',
  detect: (head) => {
    const first = head.split(/\r\n|\n|\r/).find((line) => line.trim() !== '' && !line.startsWith('#'));
    return first !== undefined && columnsOf(first)
      ? { confidence: 0.9, why: 'heading of flow records' }
      : { confidence: 0, why: '' };
  },
  open: ({ source, atMs, zoneMinutes }, sink) => {
    let heading: Heading | null = null;
    let headingText = '';
    let isOver = false;
    return {
      line: (text, line) => {
        if (text.trim() === '' || text.startsWith('#') || isOver) return;
        // What nfdump adds below the records.
        if (/^(?:Summary|No matching flows)/.test(text)) {
          isOver = true;
          return;
        }
        if (text.length > 10_000) {
          sink.mistake(line, 'file', `found a line of ${text.length} characters`);
          return;
        }
        if (!heading || text === headingText) {
          heading = columnsOf(text);
          headingText = text;
          if (heading) return;
          sink.mistake(line, 'header', `${found(text)}; allowed: a heading with ${needed.join(', ')} first`);
          return;
        }
        const { separator, at } = heading;
        const values = separator === ' ' ? text.trim().split(/\s+/) : csvFields(text, separator);
        const field = (name: Column): string | undefined => {
          const value = at[name] === undefined ? undefined : values[at[name]]?.trim();
          return value === '' || value === '-' ? undefined : value;
        };
        const time = timeOf(field('start'), zoneMinutes) ?? atMs;
        const status = field('status');
        if (status === 'SKIPDATA') sink.gap(line, time, 'records were left out (SKIPDATA)');
        if (status === 'SKIPDATA' || status === 'NODATA') return;
        const one = recordOf(field, time, source, line);
        if (typeof one === 'string') sink.mistake(line, one, `${found(field(one))}; allowed: ${allowed[one]}`);
        else sink.connection(one);
      },
      end: () => undefined,
    };
  },
};

interface Heading {
  separator: string;
  at: Partial<Record<Column, number>>;
}

function columnsOf(text: string): Heading | null {
  if (text.length > 10_000) return null;
  const separator = ['\t', ';', ','].find((one) => text.includes(one)) ?? ' ';
  const words = separator === ' ' ? text.trim().split(/\s+/) : csvFields(text, separator);
  const names = words.map((word) => word.toLowerCase().replace(/[\s_-]/g, ''));
  const at: Heading['at'] = {};
  for (const [column, known] of Object.entries(columns)) {
    const index = names.findIndex((name) => (known as readonly string[]).includes(name));
    if (index >= 0) at[column as Column] = index;
  }
  return needed.every((column) => at[column] !== undefined) ? { separator, at } : null;
}

type Wrong = 'src' | 'dst' | 'protocol';
const allowed: Record<Wrong, string> = {
  src: 'an IP address, and a port from 0 to 65535',
  dst: 'an IP address, and a port from 0 to 65535',
  protocol: 'a name like TCP, or a number from 0 to 255',
};

function recordOf(
  field: (name: Column) => string | undefined,
  atMs: number | null,
  source: string,
  line: number,
): Connection | Wrong {
  const protocol = protocolName(field('protocol'));
  if (protocol === null) return 'protocol';
  const from = endpoint(field('src'), field('srcPort'));
  if (!from) return 'src';
  const to = endpoint(field('dst'), field('dstPort'), protocol);
  if (!to) return 'dst';
  const { opener, why } = openerOf(protocol, from, to);
  const [local, remote] = opener === 'dst' ? [to, from] : [from, to];
  const one: Connection = {
    protocol,
    local,
    remote,
    direction: opener === null ? 'unknown' : 'through',
    state: stateOf(field('action')),
    atMs,
    how: `${source}; ${why}`,
    line,
  };
  const [sent, back] = [count(field('bytesOut')), count(field('bytesIn'))];
  const [out, incoming] = opener === 'dst' ? [back, sent] : [sent, back];
  if (out !== null) one.bytesOut = out;
  if (incoming !== null) one.bytesIn = incoming;
  return one;
}

/** Who opened a flow, from its ports: the end with the port that systems hand out by themselves. */
function openerOf(protocol: string, from: Endpoint, to: Endpoint): { opener: 'src' | 'dst' | null; why: string } {
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return { opener: 'src', why: 'from src to dst' };
  const [a, b] = [from.port >= ephemeralFrom || from.port === 0, to.port >= ephemeralFrom];
  if (a !== b) return { opener: a ? 'src' : 'dst', why: `opener by ports ${from.port} and ${to.port}` };
  const [low, high] = [from.port < 1024, to.port < 1024];
  if (low !== high) return { opener: high ? 'src' : 'dst', why: `opener by ports ${from.port} and ${to.port}` };
  return { opener: null, why: `ports ${from.port} and ${to.port} do not tell who opened` };
}

function stateOf(action: string | undefined): ConnectionState {
  if (action === undefined) return 'seen';
  if (/^(?:accept|allow|permit)/i.test(action)) return 'allowed';
  return /^(?:reject|deny|drop|block)/i.test(action) ? 'denied' : 'unknown';
}

/** The port; nfdump writes type and code of ICMP as `8.0` there, and the type is what a policy knows. */
function endpoint(addressWord: string | undefined, portWord = '0', protocol = ''): Endpoint | null {
  const address = addressWord === undefined ? null : canonicalAddress(addressWord);
  const port = portNumber(protocol.startsWith('icmp') ? portWord.replace(/\.\d+$/, '') : portWord);
  return address === null || port === null ? null : { address, port };
}

const count = (text: string | undefined): number | null => {
  const value = decimal(text);
  return value === null || value < 0 ? null : value;
};

/** Seconds or milliseconds since the epoch, ISO 8601, or `YYYY-MM-DD hh:mm:ss` of the zone. */
function timeOf(text: string | undefined, zoneMinutes: number): number | null {
  if (text === undefined || text.length > 40) return null;
  const number = decimal(text);
  if (number !== null) return number > 0 && number < 1e14 ? (number > 1e11 ? number : number * 1000) : null;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (!match) return null;
  const ms = Date.parse(`${match[1]}T${match[2]}${match[3]?.slice(0, 4) ?? ''}${match[4] ?? 'Z'}`);
  if (!Number.isFinite(ms)) return null;
  return match[4] === undefined ? ms - zoneMinutes * 60_000 : ms;
}
