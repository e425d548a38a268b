import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressBytes, addressText } from '../wire/ip.ts';
import { findNode, makeAddressTable } from './address-table.ts';

test('findNode() finds every address that was entered and no other', () => {
  const address = fc
    .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    .map(addressText);
  fc.assert(
    fc.property(fc.uniqueArray(address, { maxLength: 40 }), fc.array(address, { maxLength: 10 }), (known, others) => {
      const table = makeAddressTable(known.map((text, node) => ({ address: text, node })));
      for (const text of [...known, ...others]) {
        const bytes = addressBytes(text);
        expect(findNode(table, bytes, 0, bytes.length === 4 ? 4 : 6)).toBe(known.indexOf(text));
      }
    }),
  );
});
