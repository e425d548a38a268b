import { isIP } from '../stats/address.ts';
import { emitTrace, type Hop, type HopReply, hopOf } from './hops.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';

/** `Tracing route to server [10.1.0.2]` in any language: what ends with a bracketed address, or with an address. */
const HEADER = /^\S.*? (?:(\S+) \[([\da-fA-F.:%]+)\]|([\da-fA-F]*[.:][\da-fA-F.:]+))(?: .*)?:?$/;
const TIMES = String.raw`((?:(?:<?\d+ ms|\*)\s+){3})`;
const ROW = new RegExp(String.raw`^\s*(\d{1,3})\s+${TIMES}(.*)$`);
/** `  5  10.2.0.1  reports: Destination net unreachable.` */
const REPORT = /^\s*(\d{1,3})\s+(?:\S+ \[)?([\da-fA-F.:]+)\]?\s+\S+: (.+)$/;
const KNOWN = /^(?:.*\d+ (?:hops|Hops|Abschnitte|sauts|saltos|hop)\s?:?\.?|\S[^\d]*\.|C:\\.*>.*|PS .*>.*|\^C)$/;

/** tracert of Windows, in any language. */
export const tracertImporter: Importer = {
  format: 'tracert',
  about: 'tracert of Windows, in any language',
  detect: (head) =>
    marks(head, [
      [/^ *\d{1,3} +(?:(?:<?\d+ ms|\*) +){3}\S/m, 0.95, 'rows of hop, three times and then the address'],
      [/^Tracing route to /m, 0.6, 'the line "Tracing route to …"'],
    ]),
  open: readTracert,
};

function readTracert(context: ImportContext, sink: Sink): LineReader {
  let target: { to: string; address: string } | null = null;
  let hops: Hop[] = [];
  let refused: { by: string; message: string } | null = null;

  const close = () => {
    if (hops.length > 0) {
      const last = hops.at(-1)?.address ?? '';
      const { to, address } = target ?? { to: last === '' ? 'unnamed' : last, address: last };
      const outcome = refused ? { outcome: { kind: 'unreachable' as const, ...refused } } : {};
      const tool = 'tracert, whole milliseconds, "<1 ms" as 1';
      emitTrace({ to, address, tool, method: 'icmp', hops, ...outcome }, context, sink);
    }
    [hops, refused, target] = [[], null, null];
  };

  const row = (text: string): boolean => {
    const found = ROW.exec(text);
    if (!found) return false;
    const [, ttl, times = '', tail = ''] = found;
    const [, name, inner] = /^(\S+) \[([^\]]+)\]/.exec(tail) ?? [];
    const address = inner ?? (isIP(tail.trim()) ? tail.trim() : null);
    const replies: HopReply[] = (times.match(/<?\d+ ms|\*/g) ?? []).map((time) =>
      time === '*' || address === null
        ? { address: null, rttMs: null }
        : { address, rttMs: Number.parseInt(time.replace('<', ''), 10) },
    );
    hops.push(hopOf(Number(ttl), replies, name));
    return true;
  };

  return {
    line: (text, number) => {
      const body = text.trimEnd();
      if (body === '' || row(body)) return;
      const report = REPORT.exec(body);
      if (report && hops.length > 0) {
        refused = { by: report[2] ?? '', message: (report[3] ?? '').trim() };
        hops.push({ ttl: Number(report[1]), address: report[2] ?? null, rttMs: null });
        return;
      }
      const header = HEADER.exec(body);
      if (header) {
        close();
        target = { to: header[1] ?? header[3] ?? '', address: header[2] ?? header[3] ?? '' };
      } else if (!KNOWN.test(body)) sink.unread(number, text);
    },
    end: close,
  };
}
