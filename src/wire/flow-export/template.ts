/** Where one field of a template's records goes; what is not known is passed over. */
export interface Template {
  id: number;
  /** How many of the fields say what the record is about; above 0: options (RFC 3954 §6.1, RFC 7011 §3.4.2). */
  scopes: number;
  /** Information element, with `reverse` added for those of the other direction; −1: of an enterprise that is not known. */
  elements: Int32Array;
  /** Octets of each; 65 535: the record says (IPFIX only). */
  lengths: Uint16Array;
  /** The shortest that a record can be; never 0. */
  leastBytes: number;
  /** How often the exporter had taken back all of its templates before this one: they are passed over, not searched for. */
  epoch: number;
}

/** Length of a field whose length stands before its value (RFC 7011 §7). */
export const variableLength = 0xffff;
/** Reverse information elements (RFC 5103 §6.1): the enterprise number, and what is added to their numbers here. */
const reverseEnterprise = 29_305;
export const reverse = 0x10000;

/** Fields of one template; the largest datagram has room for more, no exporter for such a record. */
const maxFields = 512;

export interface TemplateSink {
  defined(template: Template): void;
  /** RFC 7011 §8.1; null: all of the set's kind. */
  withdrawn(id: number | null, isOptions: boolean): void;
  malformed(): void;
}

/** Templates of one set, NetFlow v9 (RFC 3954 §5.2, §6.1) or IPFIX (RFC 7011 §3.4). */
export function readTemplates(
  bytes: Buffer,
  at: number,
  end: number,
  kind: { isOptions: boolean; isIpfix: boolean },
  sink: TemplateSink,
): void {
  for (let here = at; end - here >= 4;) {
    const id = bytes.readUInt16BE(here);
    const next =
      kind.isIpfix && bytes.readUInt16BE(here + 2) === 0
        ? withdraw(id, here, kind.isOptions, sink)
        : define(bytes, here, end, kind, sink);
    if (next < 0) return;
    here = next;
  }
}

function withdraw(id: number, at: number, isOptions: boolean, sink: TemplateSink): number {
  if (id === 2 || id === 3) sink.withdrawn(null, isOptions);
  else if (id >= 256) sink.withdrawn(id, isOptions);
  // Four octets of nothing are the padding of the set.
  else return -1;
  return at + 4;
}

/** @returns where the next template begins, −1 where none can follow */
function define(
  bytes: Buffer,
  at: number,
  end: number,
  { isOptions, isIpfix }: { isOptions: boolean; isIpfix: boolean },
  sink: TemplateSink,
): number {
  const id = bytes.readUInt16BE(at);
  // Padding: no template has so low a number.
  if (id < 256) return id === 0 ? -1 : wrong(sink);
  const head = isOptions ? 6 : 4;
  if (end - at < head) return wrong(sink);
  let fields = bytes.readUInt16BE(at + 2);
  let scopes = isOptions ? bytes.readUInt16BE(at + 4) : 0;
  if (isOptions && !isIpfix) {
    // v9 says octets: of the scope fields first, then of the others.
    [fields, scopes] = [(fields + scopes) >>> 2, Math.max(1, fields >>> 2)];
  }
  if (fields === 0 || fields > maxFields || scopes > fields || (isOptions && isIpfix && scopes === 0))
    return wrong(sink);
  const elements = new Int32Array(fields);
  const lengths = new Uint16Array(fields);
  let leastBytes = 0;
  let here = at + head;
  for (let field = 0; field < fields; field++) {
    if (end - here < 4) return wrong(sink);
    const element = bytes.readUInt16BE(here);
    const length = bytes.readUInt16BE(here + 2);
    here += 4;
    const isScope = field < scopes;
    if (isIpfix && element & 0x8000) {
      if (end - here < 4) return wrong(sink);
      elements[field] = bytes.readUInt32BE(here) === reverseEnterprise ? (element & 0x7fff) + reverse : -1;
      here += 4;
    }
    // Scopes of v9 have numbers of their own, none of which is of use here.
    else elements[field] = isScope && !isIpfix ? -1 : element;
    lengths[field] = length;
    leastBytes += isIpfix && length === variableLength ? 1 : length;
  }
  // Records of no octets would never end.
  if (leastBytes === 0) return wrong(sink);
  // Options templates of v9 are padded to four octets, each for itself by some exporters, and only the set by others: both end alike,
  // because fields have four octets.
  sink.defined({ id, scopes, elements, lengths, leastBytes, epoch: 0 });
  return here;
}

function wrong(sink: TemplateSink): -1 {
  sink.malformed();
  return -1;
}
