import * as make from '../../wire/packet/frames.case.ts';
import { captureHeader, recordLength, writeRecord } from '../../wire/pcap/write.ts';

/** A file of libpcap with `packets` of so many conversations, in turns. */
export function* scan(packets: number, conversations: number): Generator<Uint8Array> {
  yield captureHeader(1, 65_535);
  const none = Buffer.alloc(0);
  for (let i = 0; i < packets; i++) {
    const octets = make.ethernetFrame(
      0x0800,
      make.ip4({ protocol: 6, id: i & 0xffff }, make.tcp({ sequence: i }, none)),
    );
    octets.writeUInt16BE(1024 + (i % conversations), 34);
    const frame = { ...make.frameOf(octets), seconds: i };
    const record = Buffer.alloc(recordLength(frame));
    writeRecord(record, 0, frame);
    yield record;
  }
}
