import { emitTrace, MAX_TTL } from './hops.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { emitRoundTrips, figuresOf } from './round-trips.ts';
import { addMs, makeSamples, type Samples } from './samples.ts';

interface RawHop {
  addresses: string[];
  name: string | undefined;
  sent: number;
  samples: Samples;
}

const MAX_ADDRESSES = 64;

/**
 * `mtr --raw`: a line for each probe sent (`x`), answered (`p`, µs) and each address found (`h`). Every sample is there, so the
 * figures have their median. mtr probes beyond the target until it knows how far that is: those hops are left out.
 */
export const mtrRawImporter: Importer = {
  format: 'mtr-raw',
  about: 'mtr --raw',
  detect: (head) =>
    marks(head, [
      [/^x \d+ \d+\r?\n(?:[hdpxm] \d+ .*\r?\n)*?p \d+ \d+/m, 1, 'lines "x hop sequence" and "p hop µs"'],
      [/^h \d+ [\da-f.:]+\r?$/m, 0.8, 'lines "h hop address"'],
    ]),
  open: readRaw,
};

function readRaw(context: ImportContext, sink: Sink): LineReader {
  const hops = new Map<number, RawHop>();
  const at = (text: string): RawHop | null => {
    const index = Number(text);
    if (index >= MAX_TTL) return null;
    const hop = hops.get(index) ?? { addresses: [], name: undefined, sent: 0, samples: makeSamples() };
    hops.set(index, hop);
    return hop;
  };
  const take = (text: string): boolean => {
    const [, kind, index = '', value = ''] = /^([xhdpmt]) (\d{1,3}) (\S+)(?: .*)?$/.exec(text) ?? [];
    const hop = kind === undefined ? null : at(index);
    if (!hop) return false;
    if (kind === 'x') hop.sent++;
    else if (kind === 'd') hop.name ??= value;
    else if (kind === 'h' && !hop.addresses.includes(value) && hop.addresses.length < MAX_ADDRESSES)
      hop.addresses.push(value);
    else if (kind === 'p') {
      if (!/^\d+$/.test(value)) return false;
      addMs(hop.samples, Number(value) / 1000);
    }
    return true;
  };
  return {
    line: (text, number) => {
      if (text.trim() !== '' && !take(text.trimEnd())) sink.unread(number, text);
    },
    end: () => emitRaw(hops, context, sink),
  };
}

function emitRaw(hops: ReadonlyMap<number, RawHop>, context: ImportContext, sink: Sink): void {
  const indexes = [...hops.keys()].sort((a, b) => a - b);
  const answering = indexes.filter((index) => (hops.get(index)?.addresses.length ?? 0) > 0);
  const farthest = answering.at(-1);
  if (farthest === undefined) {
    if (indexes.length > 0) sink.warning(null, 'no hop answered, and --raw does not name its target');
    return;
  }
  const address = hops.get(farthest)?.addresses[0] ?? '';
  const last = answering.find((index) => hops.get(index)?.addresses.includes(address)) ?? farthest;
  const target = hops.get(last) as RawHop;
  const found = indexes.filter((index) => index <= last).map((index) => ({ index, hop: hops.get(index) as RawHop }));
  // Without `x` lines (before 0.86) nobody says how many were sent.
  const sentOf = (hop: RawHop) => (hop.sent > 0 ? hop.sent : null);
  const to = target.name ?? address;
  emitTrace(
    {
      to,
      address,
      tool: 'mtr --raw',
      method: 'unknown',
      note: 'the farthest address that answered is taken for the target',
      hops: found.map(({ index, hop }) => ({
        ttl: index + 1,
        address: hop.addresses[0] ?? null,
        rttMs: hop.samples.histogram.count > 0 ? hop.samples.histogram.min : null,
        ...(hop.name === undefined ? {} : { name: hop.name }),
        ...(hop.addresses.length > 1 ? { replies: hop.addresses.map((one) => ({ address: one, rttMs: null })) } : {}),
        figures: figuresOf(hop.samples, sentOf(hop)),
      })),
    },
    context,
    sink,
  );
  const figures = figuresOf(target.samples, sentOf(target));
  emitRoundTrips({ to, address, tool: 'mtr --raw', method: 'unknown', figures }, context, sink);
}
