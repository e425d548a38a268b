/** Just enough of pcap (nanosecond stamps, little-endian, Ethernet) to have the time of every echo request and reply on the wire. */
export interface WireEcho {
  identifier: number;
  sequence: number;
  reply: boolean;
  /** Nanoseconds since the first packet of the file. */
  atNs: number;
}

const NANO_MAGIC = 0xa1b23c4d;

export function readEchoes(file: Buffer): WireEcho[] {
  if (file.length < 24 || file.readUInt32LE(0) !== NANO_MAGIC) throw new Error('not a pcap file with nanoseconds');
  const echoes: WireEcho[] = [];
  let baseSec = -1;
  for (let at = 24; at + 16 <= file.length;) {
    const [sec, nsec, captured] = [file.readUInt32LE(at), file.readUInt32LE(at + 4), file.readUInt32LE(at + 8)];
    if (baseSec < 0) baseSec = sec;
    const packet = file.subarray(at + 16, at + 16 + captured);
    at += 16 + captured;
    if (packet.length < 42 || packet.readUInt16BE(12) !== 0x0800 || packet[23] !== 1) continue;
    const icmp = 14 + (packet[14]! & 15) * 4;
    if (packet[icmp] !== 8 && packet[icmp] !== 0) continue;
    echoes.push({
      identifier: packet.readUInt16BE(icmp + 4),
      sequence: packet.readUInt16BE(icmp + 6),
      reply: packet[icmp] === 0,
      atNs: (sec - baseSec) * 1e9 + nsec,
    });
  }
  return echoes;
}

/** Round trips on the wire in µs, in order of the requests; those without a reply are left out. */
export function wireRoundTripsUs(echoes: readonly WireEcho[]): number[] {
  const replies = new Map(echoes.filter((e) => e.reply).map((e) => [`${e.identifier} ${e.sequence}`, e.atNs]));
  return echoes.flatMap((e) => {
    const atNs = e.reply ? undefined : replies.get(`${e.identifier} ${e.sequence}`);
    return atNs === undefined ? [] : [(atNs - e.atNs) / 1e3];
  });
}
