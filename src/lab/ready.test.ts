import { expect, test } from 'vitest';
import { listens } from './ready.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0200010A:1B81 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8675
   1: 0200010A:0050 0100010A:9C40 01 00000000:00000000 00:00000000 00000000     0        0 8676
`;

test('listens() sees a listening port, and neither a connected one nor a remote one', () => {
  expect(listens(table, 7041)).toBe(true);
  expect(listens(table, 80)).toBe(false);
  expect(listens(table, 40_000)).toBe(false);
  expect(listens('', 7041)).toBe(false);
});
