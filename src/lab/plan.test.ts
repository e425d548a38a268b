import { expect, test } from 'vitest';
import { planOf } from './plan.ts';
import { topologySchema, type TopologyInput } from './topology.ts';

const plan = (input: TopologyInput) => planOf(topologySchema.parse(input));

test('planOf() gives every node its own address, around the stated ones', () => {
  const { nodes } = plan({
    hosts: [
      { name: 'a' },
      { name: 'b', addresses: ['10.1.0.1'] },
      { name: 'c', addresses: ['fd00:1:0::1', '192.0.2.7'] },
    ],
    routers: [{ name: 'r' }],
  });
  expect(nodes.map(({ name, v4, v6 }) => [name, v4, v6])).toEqual([
    ['a', '10.1.0.2', 'fd00:1::2'],
    ['b', '10.1.0.1', 'fd00:1::3'],
    ['c', '192.0.2.7', 'fd00:1::1'],
    ['r', '10.2.0.1', 'fd00:2::1'],
  ]);
  const many = plan({
    hosts: [{ name: 'a' }],
    routers: Array.from({ length: 192 }, (_, index) => ({ name: `r${index}` })),
  });
  expect(new Set(many.nodes.flatMap(({ v4, v6 }) => [v4, v6])).size).toBe(2 * 193);
});

test('planOf() lets a direction override the link, and its queue replace the other unit', () => {
  const { directions } = plan({
    hosts: [{ name: 'a' }, { name: 'b' }],
    links: [
      {
        a: 'a',
        b: 'b',
        delayMs: 5,
        rateMbit: 10,
        queuePackets: 7,
        mtu: 1400,
        ab: { rateMbit: 2, queueMs: 30 },
        ba: { delayMs: 9, loss: 0.5 },
      },
    ],
  });
  expect(directions[0]).toMatchObject({
    from: 0,
    to: 1,
    delayMs: 5,
    rateMbit: 2,
    queuePackets: 0,
    queueMs: 30,
    mtu: 1400,
    lossRatio: 0,
  });
  expect(directions[1]).toMatchObject({
    from: 1,
    to: 0,
    delayMs: 9,
    rateMbit: 10,
    queuePackets: 7,
    lossRatio: 0.5,
    meanBurst: 0,
  });
});

test('planOf() gives a host the MTU of its narrowest outgoing link', () => {
  const { nodes } = plan({
    hosts: [{ name: 'a' }, { name: 'b' }],
    links: [{ a: 'a', b: 'b', ab: { mtu: 1300 }, ba: { mtu: 9000 } }],
  });
  expect(nodes.map((node) => node.mtu)).toEqual([1300, 9000]);
});

test('planOf() routes by delay, and by cost where one is given', () => {
  const detour = { hosts: [{ name: 'a' }, { name: 'b' }], routers: [{ name: 'r' }] };
  const links = [
    { a: 'a', b: 'b', delayMs: 50 },
    { a: 'a', b: 'r', delayMs: 10 },
    { a: 'r', b: 'b', delayMs: 10 },
  ];
  // Directions 0 and 1 belong to the first link, 2 and 3 to the second.
  expect(plan({ ...detour, links }).routes.next[0 * 3 + 1]).toBe(2);
  expect(
    plan({ ...detour, links: links.map((link, index) => (index === 0 ? { ...link, cost: 1 } : link)) }).routes.next[
      0 * 3 + 1
    ],
  ).toBe(0);
});
