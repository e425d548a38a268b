import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newPacket, type Packet } from '../../wire/packet/packet.ts';
import { FlowTable } from './flow-table.ts';

interface Ends {
  version: 4 | 6;
  a: number;
  b: number;
  portA: number;
  portB: number;
  protocol: number;
  tunnel: number;
}

// Few values, so that conversations meet again and slots collide.
const ends: fc.Arbitrary<Ends> = fc.record({
  version: fc.constantFrom(4, 6),
  a: fc.integer({ min: 0, max: 3 }),
  b: fc.integer({ min: 0, max: 3 }),
  portA: fc.integer({ min: 0, max: 2 }),
  portB: fc.integer({ min: 0, max: 2 }),
  protocol: fc.constantFrom(6, 17),
  tunnel: fc.constantFrom(0, -7),
});

function packetOf(of: Ends, swapped: boolean): Packet {
  const packet = newPacket();
  packet.bytes = Buffer.alloc(32);
  packet.version = of.version;
  packet.sourceAt = 0;
  packet.destinationAt = 16;
  const octets = of.version === 6 ? 16 : 4;
  packet.bytes[octets - 1] = swapped ? of.b : of.a;
  packet.bytes[16 + octets - 1] = swapped ? of.a : of.b;
  packet.sourcePort = swapped ? of.portB : of.portA;
  packet.destinationPort = swapped ? of.portA : of.portB;
  packet.protocol = of.protocol;
  packet.tunnel = of.tunnel;
  return packet;
}

/** The twin: texts in a Map. */
function nameOf({ version, a, b, portA, portB, protocol, tunnel }: Ends): string {
  const [first, second] = [`${String(a).padStart(3)}.${portA}`, `${String(b).padStart(3)}.${portB}`].sort();
  return [version, first, second, protocol, tunnel].join(' ');
}

test('finds, adds and removes as a map of texts does, whatever collides', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ends, swapped: fc.boolean(), remove: fc.boolean() }), { maxLength: 200 }),
      fc.integer(),
      (steps, seed) => {
        let most = 0;
        const table = new FlowTable(seed, 8);
        const twin = new Map<string, number>();
        for (const { ends: of, swapped, remove } of steps) {
          const found = table.find(packetOf(of, swapped));
          expect(found).toBe(twin.get(nameOf(of)) ?? -1);
          if (remove && found >= 0) {
            table.remove(found);
            twin.delete(nameOf(of));
          } else if (!remove) {
            const number = table.add(packetOf(of, swapped));
            // One that is free, and no more than there ever were at once.
            if (found < 0) expect([...twin.values()]).not.toContain(number);
            else expect(number).toBe(found);
            twin.set(nameOf(of), number);
            most = Math.max(most, twin.size);
            expect(number).toBeLessThan(most);
          }
          expect(table.size).toBe(twin.size);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('tells the two directions of a conversation apart', () => {
  fc.assert(
    fc.property(ends, (of) => {
      fc.pre(of.a !== of.b || of.portA !== of.portB);
      const table = new FlowTable(0, 8);
      table.find(packetOf(of, false));
      const there = table.forward;
      table.find(packetOf(of, true));
      expect(table.forward).toBe(!there);
    }),
  );
});
