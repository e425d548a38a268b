import type { RoundTripFigures } from '../model/round-trips.ts';
import { emitTrace, type Hop } from './hops.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { emitRoundTrips } from './round-trips.ts';

const HEADER = /^\S.*? (?:(\S+) \[([\da-fA-F.:%]+)\]|([\da-fA-F]*[.:][\da-fA-F.:]+))(?: .*)?:?$/;
/** First table: hop and address only. */
const HOP = /^\s{1,3}(\d{1,3})\s+(?:(\S+) \[([\da-fA-F.:]+)\]|([\da-fA-F]*[.:][\da-fA-F.:]+)|\*[\s*]*)\s*$/;
/** `  1    4ms     0/ 100 =  0%     0/ 100 =  0%  10.2.0.1`: round trip, lost/sent to here, lost/sent of the node itself. */
const ROW =
  /^\s{1,3}(\d{1,3})\s+(?:(<?\d+)\s?ms|-+|\|)\s+(\d+)\/\s*(\d+)\s*=\s*\d+\s?%\s+(?:\d+\/\s*\d+\s*=\s*\d+\s?%\s+)?(?:(\S+) \[([\da-fA-F.:]+)\]|(\S+))\s*$/;
/** Loss of the link between two hops, which is only the difference of the two rows beside it. */
const LINK = /^\s+\d+\/\s*\d+\s*=\s*\d+\s?%\s+\|\s*$/;
const SELF = /^\s{1,3}0\s+\S.*$/;
const KNOWN =
  /^(?:.*\d+ (?:hops|Hops|Abschnitte|sauts|saltos|hop)\s?:?|.*\d+ (?:seconds|Sekunden|secondes|segundos).*|\s+\S.*|Hop\s+RTT.*|Abs\..*|\S[^\d]*\.)$/;

/** pathping of Windows: a path, then a hundred echoes to each hop in sums. */
export const pathpingImporter: Importer = {
  format: 'pathping',
  about: 'pathping of Windows, in any language',
  detect: (head) =>
    marks(head, [
      [/^\s{1,3}\d{1,3}\s+(?:<?\d+\s?ms|---)\s+\d+\/\s*\d+\s*=/m, 1, 'rows with "lost/sent = %"'],
      [/^Hop\s+RTT\s+Lost\/Sent/m, 1, 'the heading "Hop RTT Lost/Sent"'],
    ]),
  open: readPathping,
};

function readPathping(context: ImportContext, sink: Sink): LineReader {
  let target: { to: string; address: string } | null = null;
  const hops = new Map<number, Hop>();

  const close = () => {
    const last = [...hops.values()].at(-1);
    if (last) {
      const { to, address } = target ?? { to: last.address ?? 'unnamed', address: last.address ?? '' };
      const tool = 'pathping, whole milliseconds';
      emitTrace({ to, address, tool, method: 'icmp', hops: [...hops.values()] }, context, sink);
      if (last.figures && last.address === address)
        emitRoundTrips({ to, address, tool, method: 'icmp', figures: last.figures }, context, sink);
    }
    hops.clear();
    target = null;
  };

  const row = (text: string): boolean => {
    const found = ROW.exec(text);
    if (!found) return false;
    const [, ttl = '', rtt, lost, sent, name, inner, bare] = found;
    const address = inner ?? bare ?? null;
    const meanMs = rtt === undefined ? null : Number(rtt.replace('<', ''));
    const figures: RoundTripFigures = {
      sent: Number(sent),
      received: Math.max(0, Number(sent) - Number(lost)),
      minMs: null,
      medianMs: null,
      meanMs,
      maxMs: null,
      stddevMs: null,
    };
    hops.set(Number(ttl), {
      ttl: Number(ttl),
      address,
      rttMs: meanMs,
      ...(name === undefined ? {} : { name }),
      figures,
    });
    return true;
  };

  const first = (text: string): boolean => {
    const found = HOP.exec(text);
    if (!found) return false;
    const [, number = '', name, inner, bare] = found;
    const ttl = Number(number);
    if (ttl > 0)
      hops.set(ttl, { ttl, address: inner ?? bare ?? null, rttMs: null, ...(name === undefined ? {} : { name }) });
    return true;
  };

  return {
    line: (text, number) => {
      const body = text.trimEnd();
      if (body === '' || row(body) || LINK.test(body) || first(body) || SELF.test(body)) return;
      const header = HEADER.exec(body);
      if (header) {
        close();
        target = { to: header[1] ?? header[3] ?? '', address: header[2] ?? header[3] ?? '' };
      } else if (!KNOWN.test(body)) sink.unread(number, text);
    },
    end: close,
  };
}
