import { emitTrace, type Hop, type HopReply, hopOf, MAX_TTL } from './hops.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';

const ROW = /^\s{0,2}(\d{1,3})(\??):\s+(.*)$/;
const ANSWER = /^(\S+)(?: \(([\da-fA-F.:]+)\))?(?:\s+\(([\da-fA-F.:]+)\))?\s+([\d.]+)ms\s*(.*)$/;
const RESUME = /^\s+(?:Resume: pmtu (\d+)(?: hops \d+ back \d+)?|Too many hops: pmtu (\d+))\s*$/;
const PMTU = /pmtu (\d+)/;

interface Open {
  replies: Map<number, HopReply[]>;
  names: Map<number, string>;
  mtuBytes: string | null;
  reached: boolean;
}

/** tracepath of Linux: a trace by UDP, with the path MTU that ICMP told on the way. It does not name its target. */
export const tracepathImporter: Importer = {
  format: 'tracepath',
  about: 'tracepath of Linux',
  detect: (head) =>
    marks(head, [
      [/^ ?\d+\??: +\[LOCALHOST\].*pmtu \d+/m, 1, 'the line "1?: [LOCALHOST] pmtu …"'],
      [/^ +(?:Resume: pmtu|Too many hops: pmtu)/m, 1, 'the line "Resume: pmtu …"'],
      [/^ ?\d+: +\S+ +[\d.]+ms/m, 0.7, 'rows of "hop: address …ms"'],
    ]),
  open: readTracepath,
};

function readTracepath(context: ImportContext, sink: Sink): LineReader {
  let open: Open | null = null;
  const current = (): Open => (open ??= { replies: new Map(), names: new Map(), mtuBytes: null, reached: false });

  const close = () => {
    if (open && open.replies.size > 0) emitTracepath(open, context, sink);
    open = null;
  };

  const row = (ttl: number, text: string): boolean => {
    const to = current();
    to.mtuBytes = PMTU.exec(text)?.[1] ?? to.mtuBytes;
    if (text.startsWith('[LOCALHOST]')) return true;
    const isSilent = text.startsWith('no reply');
    const [, word = '', inner, second, rtt, tail = ''] = ANSWER.exec(text) ?? [];
    // What it says of the path MTU alone, without an answer.
    if (!isSilent && rtt === undefined) return PMTU.test(text);
    const address = isSilent ? null : (inner ?? second ?? word);
    if (address !== null && address !== word) to.names.set(ttl, word);
    const note = /!\S+/.exec(tail)?.[0];
    const reply = { address, rttMs: rtt === undefined ? null : Number(rtt), ...(note === undefined ? {} : { note }) };
    to.replies.set(ttl, [...(to.replies.get(ttl) ?? []), reply].slice(0, MAX_TTL));
    to.reached ||= /\breached\b/.test(tail);
    return true;
  };

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const resume = RESUME.exec(text);
      const found = ROW.exec(text);
      if (resume) {
        current().mtuBytes = resume[1] ?? resume[2] ?? null;
        close();
      } else if (
        !found ||
        Number(found[1]) < 1 ||
        Number(found[1]) > MAX_TTL ||
        !row(Number(found[1]), (found[3] ?? '').trim())
      )
        sink.unread(number, text);
    },
    end: close,
  };
}

function emitTracepath({ replies, names, mtuBytes, reached }: Open, context: ImportContext, sink: Sink): void {
  const hops: Hop[] = [...replies].map(([ttl, list]) => hopOf(ttl, list, names.get(ttl)));
  const address = reached ? (hops.at(-1)?.address ?? '') : '';
  const note = [
    ...(mtuBytes === null ? [] : [`path MTU ${mtuBytes} by ICMP`]),
    ...(reached ? [] : ['the target was not reached, and tracepath names it nowhere']),
  ].join('; ');
  const to = address === '' ? 'unnamed' : address;
  emitTrace(
    { to, address, tool: 'tracepath', method: 'udp', hops, reached, ...(note === '' ? {} : { note }) },
    context,
    sink,
  );
}
