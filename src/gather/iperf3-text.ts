import { printable } from '../model/outcome.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { stampReader } from './stamp.ts';
import { emitTransfer, iperfFailure, MAX_INTERVALS, meanRate, type TransferSums } from './transfer.ts';

const CONNECT = /^(Connecting to host|Accepted connection from) (\S+), port (\d+)/;
const REVERSE = /^Reverse mode, /;
const LOCAL = /^\[ *\d+\] local (\S+) port \d+ connected to (\S+) port \d+/;
const HEADING = /^\[ ?ID\](?:\[Role\])? Interval\s+(.*)$/;
const ROW =
  /^\[ *(\d+|SUM)\](?:\[(TX|RX)-[CS]\])?\s+([\d.]+)-([\d.]+)\s+sec\s+[\d.]+ [KMGT]?Bytes\s+([\d.]+) ([KMGT]?)bits\/sec(.*)$/;
const DATAGRAMS = /([\d.]+) ms\s+(\d+)\/(\d+) \(/;
const ERROR = /^iperf3: (error|interrupt) - (.+)$/;
const TIME = /^Time: (.+ GMT)$/;
const VERSION = /^iperf (3\.\S+)/;
const KNOWN =
  /^(?:[- ]{5,}|iperf Done\.|Server listening on .*|Test Complete\. Summary Results:|Starting Test: .*|.*Control connection MSS.*|\s+(?:Cookie|TCP MSS|Target Bitrate): .*|CPU Utilization: .*|(?:snd|rcv)_tcp_congestion .*|Linux .*|Darwin .*|Server output:|.*unable to receive .*|warning: .*)$/;
const UNITS: Readonly<Record<string, number>> = { '': 1e-6, K: 1e-3, M: 1, G: 1e3, T: 1e6 };

interface Row {
  id: string;
  direction: 'up' | 'down' | null;
  startS: number;
  endS: number;
  mbitPerS: number;
  side: 'sender' | 'receiver' | null;
  retransmits: number | null;
  udp: TransferSums['udp'];
  omitted: boolean;
}

interface Test {
  to: string;
  isServer: boolean;
  isReverse: boolean;
  isUdp: boolean;
  hasRetransmits: boolean;
  atMs: number | null;
  ids: Set<string>;
  rows: Row[];
  error: string | null;
}

/** What iperf3 prints without --json. Its numbers are rounded to three digits; octets are therefore left out. */
export const iperfTextImporter: Importer = {
  format: 'iperf3',
  about: 'iperf3 as text',
  detect: (head) =>
    marks(head, [
      [
        /^.*\[ *(?:\d+|SUM)\](?:\[[TR]X-[CS]\])?\s+[\d.]+-[\d.]+\s+sec\s+[\d.]+ [KMGT]?Bytes\s/m,
        1,
        'rows "[ id] … sec … Bytes … bits/sec"',
      ],
      [/^.*Connecting to host \S+, port \d+/m, 0.9, 'the line "Connecting to host …, port …"'],
      [/^iperf3: error - /m, 0.9, 'the line "iperf3: error - …"'],
    ]),
  open: readText,
};

function readText(context: ImportContext, sink: Sink): LineReader {
  const takeStamp = stampReader(context);
  let test: Test | null = null;
  let version = '';
  let timeMs: number | null = null;

  const begin = (to: string, isServer: boolean): Test => {
    close();
    const flags = { isServer, isReverse: false, isUdp: false, hasRetransmits: false };
    test = { to, ...flags, atMs: timeMs, ids: new Set(), rows: [], error: null };
    return test;
  };
  const close = () => {
    if (test && (test.rows.length > 0 || test.error !== null)) emitTest(test, version, context, sink);
    test = null;
  };
  const current = () => test ?? begin('unnamed', false);

  const take = (text: string): boolean => {
    const connect = CONNECT.exec(text);
    const local = LOCAL.exec(text);
    const heading = HEADING.exec(text);
    const row = ROW.exec(text);
    const error = ERROR.exec(text);
    if (connect) begin(connect[2] ?? 'unnamed', connect[1] !== 'Connecting to host');
    else if (REVERSE.test(text)) current().isReverse = true;
    else if (local) {
      const to = current();
      if (to.to === 'unnamed') to.to = local[2] ?? to.to;
    } else if (heading) {
      const to = current();
      to.isUdp ||= /Datagrams/.test(heading[1] ?? '');
      to.hasRetransmits = /Retr/.test(heading[1] ?? '');
    } else if (row) {
      const to = current();
      const read = rowOf(row, to.hasRetransmits);
      to.ids.add(read.id);
      if (to.rows.length < MAX_INTERVALS) to.rows.push(read);
    } else if (error) current().error = printable(error[2] ?? '');
    else return readHead(text);
    return true;
  };
  const readHead = (text: string): boolean => {
    const time = TIME.exec(text);
    if (time && test) test.atMs = Number.isFinite(Date.parse(time[1] ?? '')) ? Date.parse(time[1] ?? '') : null;
    version = VERSION.exec(text)?.[1] ?? version;
    return time !== null || VERSION.test(text) || KNOWN.test(text);
  };

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const stamped = takeStamp(text);
      const body = (stamped?.rest ?? text).trimEnd();
      timeMs = stamped?.ms ?? timeMs;
      if (!take(body)) sink.unread(number, text);
    },
    end: close,
  };
}

function rowOf(found: RegExpExecArray, hasRetransmits: boolean): Row {
  const [, id = '', role, startS, endS, rate, unit = '', tail = ''] = found;
  const datagrams = DATAGRAMS.exec(tail);
  const retransmits = hasRetransmits && !datagrams ? /^\s+(\d+)\b/.exec(tail)?.[1] : undefined;
  return {
    id,
    direction: role === undefined ? null : role === 'TX' ? 'up' : 'down',
    startS: Number(startS),
    endS: Number(endS),
    mbitPerS: Number(rate) * (UNITS[unit] ?? 1),
    side: /\bsender\s*$/.test(tail) ? 'sender' : /\breceiver\s*$/.test(tail) ? 'receiver' : null,
    retransmits: retransmits === undefined ? null : Number(retransmits),
    udp: datagrams
      ? { lost: Number(datagrams[2]), packets: Number(datagrams[3]), jitterMs: Number(datagrams[1]) }
      : null,
    omitted: tail.includes('(omitted)'),
  };
}

function emitTest(test: Test, version: string, context: ImportContext, sink: Sink): void {
  const finals = test.rows.filter(({ side }) => side !== null);
  const byRole = new Set(test.rows.flatMap(({ direction }) => direction ?? []));
  // Without roles there is one direction: a client sends unless it was told otherwise, a server receives.
  const onlySender = finals.length > 0 && finals.every(({ side }) => side === 'sender');
  const alone = test.isServer ? (onlySender ? 'up' : 'down') : test.isReverse ? 'down' : 'up';
  for (const direction of byRole.size > 0 ? byRole : ([alone] as const)) {
    const own = (rows: readonly Row[]) => rows.filter((row) => row.direction === null || row.direction === direction);
    const sender = total(own(finals).filter(({ side }) => side === 'sender'));
    const receiver = total(own(finals).filter(({ side }) => side === 'receiver'));
    const streams = new Set(own(test.rows).flatMap(({ id }) => (id === 'SUM' ? [] : id))).size;
    const rows = own(test.rows).filter(({ side }) => side === null);
    const sums = rows.some(({ id }) => id === 'SUM') ? rows.filter(({ id }) => id === 'SUM') : streams <= 1 ? rows : [];
    const cut = finals.length > 0 ? null : meanRate(sums);
    emitTransfer(
      {
        to: test.to,
        address: test.to,
        tool: `iperf3${version === '' ? '' : ` ${version}`}`,
        protocol: test.isUdp ? 'udp' : 'tcp',
        direction,
        streams: streams === 0 ? null : streams,
        targetMbitPerS: null,
        senderMbitPerS: sender?.mbitPerS ?? (direction === 'up' ? cut : null),
        receiverMbitPerS: receiver?.mbitPerS ?? (direction === 'down' ? cut : null),
        bytes: null,
        durationS: receiver?.endS ?? sender?.endS ?? sums.at(-1)?.endS ?? null,
        retransmits: sender?.retransmits ?? null,
        congestion: null,
        loadedRtt: null,
        udp: cleanUdp(receiver?.udp ?? null),
        intervals: sums.map(({ startS, endS, mbitPerS, omitted }) => ({ startS, endS, mbitPerS, omitted })),
        atMs: test.atMs,
        ...outcomeOf(test, finals.length > 0),
      },
      context,
      sink,
    );
  }
}

function outcomeOf({ error, to }: Test, ended: boolean): Pick<TransferSums, 'outcome'> | null {
  if (error !== null) return { outcome: iperfFailure(error, to) };
  return ended ? null : { outcome: { kind: 'brokenStream', message: 'the output ends before its sums' } };
}

/** The row of all streams, or their sum. */
function total(rows: readonly Row[]): Row | null {
  const all = rows.find(({ id }) => id === 'SUM');
  const [first, ...rest] = rows;
  if (all || !first) return all ?? null;
  const add = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);
  return rest.reduce<Row>(
    (sum, row) => ({
      ...sum,
      mbitPerS: sum.mbitPerS + row.mbitPerS,
      retransmits: add(sum.retransmits, row.retransmits),
      udp: null,
    }),
    first,
  );
}

function cleanUdp(udp: TransferSums['udp']): TransferSums['udp'] {
  if (!udp || !Number.isSafeInteger(udp.packets) || !Number.isSafeInteger(udp.lost)) return null;
  return { ...udp, jitterMs: Number.isFinite(udp.jitterMs) ? udp.jitterMs : null };
}
