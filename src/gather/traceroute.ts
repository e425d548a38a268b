import { isIP } from '../stats/address.ts';
import { emitTrace, type HopReply, hopOf, MAX_TTL, type TraceMethod } from './hops.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { readStamp, stampReader } from './stamp.ts';

const HEADER = /^traceroute6? to (\S+) \(([^)]+)\)(?: from \S+)?,.*hops max/;
const TCP_HEADER = /^Tracing the path to (\S+?)(?: \(([^)]+)\))? on TCP port (\d+)/;
const HOP = /^ {0,2}(\d{1,3}) {1,3}(\S.*)$/;
/** BSD puts a further address of the same hop on a line of its own. */
const MORE = /^ {3,}(\S.*)$/;
const KNOWN =
  /^(?:Selected device .*|traceroute6?: Warning: .*|Destination not reached.*|traceroute6?: .*using \S+|\s+MPLS .*)$/;
/** More answers than any -q gives are not kept. */
const MAX_REPLIES = 1000;

interface Open {
  to: string;
  address: string;
  method: TraceMethod;
  atMs: number | null;
  hops: Map<number, { replies: HopReply[]; name: string | undefined }>;
  ttl: number;
  hasHeader: boolean;
}

/** traceroute of Linux, macOS and the BSDs, and tcptraceroute. Several addresses at a hop stay apart; no links between them. */
export const tracerouteImporter: Importer = {
  format: 'traceroute',
  about: 'traceroute of Linux, macOS and the BSDs, tcptraceroute',
  detect: (head) =>
    marks(head, [
      [/^traceroute6? to \S+ \([^)]+\)/m, 1, 'the line "traceroute to … (…)"'],
      [/^Tracing the path to .* on TCP port/m, 1, 'the line "Tracing the path to … on TCP port"'],
      [
        /^ ?\d{1,3} {1,3}(?:\* |\S+ (?:\(\S+\) |\[\w+\] )? ?)[\d.*]+(?: ms)?.*(?:\d ms|\* \*)/m,
        0.8,
        'rows of hop, address and times in ms',
      ],
    ]),
  open: readTraceroute,
};

function readTraceroute(context: ImportContext, sink: Sink): LineReader {
  const takeStamp = stampReader(context);
  let open: Open | null = null;
  let stampMs: number | null = null;

  const begin = (to: string, address: string, method: TraceMethod, hasHeader: boolean): Open => {
    close();
    open = { to, address, method, atMs: stampMs, hops: new Map(), ttl: 0, hasHeader };
    return open;
  };
  const close = () => {
    if (!open || open.hops.size === 0) return;
    const { method, atMs, hasHeader } = open;
    const hops = [...open.hops].map(([ttl, { replies, name }]) => hopOf(ttl, replies, name));
    const last = hops.at(-1);
    // tcptraceroute marks the target; without any header the target is whoever answered last.
    const isOpen = last?.replies?.some(({ note }) => note === 'open' || note === 'closed') ?? false;
    const address = open.address === '' ? (last?.address ?? '') : open.address;
    const isTcp = isOpen || method === 'tcp';
    emitTrace(
      {
        to: open.to === '' ? (address === '' ? 'unnamed' : address) : open.to,
        address,
        tool: isTcp && !hasHeader ? 'tcptraceroute' : 'traceroute',
        method: isOpen ? 'tcp' : method,
        hops,
        atMs,
        ...(isOpen ? { reached: true } : {}),
        ...(hasHeader ? {} : { note: 'no header: the last address that answered is taken for the target' }),
      },
      context,
      sink,
    );
    open = null;
  };

  const header = (text: string): boolean => {
    const found = HEADER.exec(text);
    if (found) begin(found[1] ?? '', found[2] ?? '', 'unknown', true);
    const tcp = TCP_HEADER.exec(text);
    if (tcp) begin(tcp[1] ?? '', tcp[2] ?? tcp[1] ?? '', 'tcp', true);
    return found !== null || tcp !== null;
  };

  const hop = (text: string): boolean => {
    const numbered = HOP.exec(text);
    const ttl = numbered ? Number(numbered[1]) : (open?.ttl ?? 0);
    const words = numbered?.[2] ?? MORE.exec(text)?.[1];
    if (words === undefined || ttl < 1 || ttl > MAX_TTL) return false;
    const read = readReplies(words);
    if (!read) return false;
    let to = open ?? begin('', '', 'unknown', false);
    // Without headers, a hop count that begins again is the next trace.
    if (numbered && ttl < to.ttl && !to.hasHeader) to = begin('', '', 'unknown', false);
    const kept = to.hops.get(ttl) ?? { replies: [], name: read.name };
    kept.replies = [...kept.replies, ...read.replies].slice(0, MAX_REPLIES);
    to.hops.set(ttl, kept);
    to.ttl = ttl;
    return true;
  };

  const clock = { zoneMinutes: context.zoneMinutes, dayMs: context.clock.ms };
  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const alone = readStamp(text, clock);
      if (alone !== null) {
        // `date; traceroute …` in a loop: the time belongs to what follows.
        close();
        stampMs = alone;
        return;
      }
      if (header(text) || hop(text) || KNOWN.test(text)) return;
      const stamped = takeStamp(text);
      if (stamped && (header(stamped.rest) || hop(stamped.rest))) {
        if (open) open.atMs ??= stamped.ms;
        return;
      }
      sink.unread(number, text);
    },
    end: close,
  };
}

/** `r1.lab (10.2.0.1)  4.1 ms !N  10.2.0.9  4.3 ms *` → replies; null when a word fits nowhere. */
function readReplies(text: string): { replies: HopReply[]; name: string | undefined } | null {
  const words = text.trim().split(/\s+/);
  const replies: HopReply[] = [];
  let address: string | null = null;
  let name: string | undefined;
  let mark: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const inner = /^\((.+)\)$/.exec(word)?.[1];
    if (word === '*') replies.push({ address: null, rttMs: null });
    else if (inner !== undefined) address = inner;
    else if (/^\[(?:open|closed|filtered)\]$/.test(word)) mark = word.slice(1, -1);
    else if (/^(?:\[AS.*\]|\[\*\]|<[^>]*>|\[MPLS.*|\(ttl=\d+\)|'.*')$/.test(word)) continue;
    else if (/^![A-Z<>\d-]*$/.test(word)) noteLast(replies, word);
    else if (/^<?\d+(?:\.\d+)?$/.test(word) && words[i + 1] === 'ms') {
      if (address === null) return null;
      const note = mark === undefined ? {} : { note: mark };
      replies.push({ address, rttMs: Number(word.replace('<', '')), ...note });
      i++;
    } else if (isIP(word)) address = word;
    else if (words[i + 1]?.startsWith('(')) name ??= word;
    else return null;
  }
  return replies.length > 0 ? { replies, name } : null;
}

function noteLast(replies: HopReply[], mark: string): void {
  const last = replies.at(-1);
  if (last) last.note = mark;
}
