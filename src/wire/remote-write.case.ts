/** Decoders written from the formats' texts alone, to check the encoders against, and to read what a test has received. */
export function readSnappyBlock(bytes: Buffer): Buffer {
  const head = readVarint(bytes, 0);
  const out = Buffer.alloc(head.value);
  let [at, end] = [head.end, 0];
  while (at < bytes.length) {
    const first = bytes[at++]!;
    if ((first & 3) === 0) {
      let length = (first >> 2) + 1;
      if (length > 60) {
        const octets = length - 60;
        length = bytes.readUIntLE(at, octets) + 1;
        at += octets;
      }
      if (at + length > bytes.length || end + length > out.length) throw new RangeError('literal beyond the end');
      bytes.copy(out, end, at, at + length);
      at += length;
      end += length;
    } else if ((first & 3) === 2) {
      const length = (first >> 2) + 1;
      const offset = bytes.readUInt16LE(at);
      at += 2;
      if (offset === 0 || offset > end || end + length > out.length) throw new RangeError('copy of what is not there');
      // Octet by octet: a copy may overlap with itself.
      for (let i = 0; i < length; i++, end++) out[end] = out[end - offset]!;
    } else throw new RangeError(`tag ${first & 3} is not written by us`);
  }
  if (end !== out.length) throw new RangeError('shorter than it says');
  return out;
}

interface Field {
  field: number;
  value: number | Buffer;
}

export function readWriteRequest(bytes: Buffer) {
  const fields = readFields(bytes);
  const of = (field: number) => fields.filter((it) => it.field === field).map(({ value }) => value as Buffer);
  return {
    series: of(1).map((one) => {
      const parts = readFields(one);
      const samples = parts.filter(({ field }) => field === 2).map(({ value }) => readFields(value as Buffer));
      return {
        labels: parts.flatMap(({ field, value }) => (field === 1 ? [readFields(value as Buffer).map(textOf)] : [])),
        samples: samples.map(([value, at]) => ({ bits: value!.value as Buffer, atMs: at!.value as number })),
      };
    }),
    metadata: of(3).map((one) => {
      const [type, family, help] = readFields(one);
      return { type: type!.value, family: textOf(family!), help: textOf(help!) };
    }),
  };
}

const textOf = ({ value }: Field): string => (value as Buffer).toString('utf8');

function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = readVarint(bytes, at);
    const [field, wire] = [Math.floor(head.value / 8), head.value % 8];
    if (wire === 0) {
      const { value, end } = readVarint(bytes, head.end);
      fields.push({ field, value });
      at = end;
    } else {
      const length = wire === 1 ? { value: 8, end: head.end } : readVarint(bytes, head.end);
      at = length.end + length.value;
      if (at > bytes.length || (wire !== 1 && wire !== 2)) throw new RangeError(`field ${field}, wire type ${wire}`);
      fields.push({ field, value: bytes.subarray(length.end, at) });
    }
  }
  return fields;
}

function readVarint(bytes: Buffer, from: number): { value: number; end: number } {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at++, scale *= 0x80) {
    value += (bytes[at]! % 0x80) * scale;
    if (bytes[at]! < 0x80) return { value, end: at + 1 };
  }
  throw new RangeError('a number without an end');
}
