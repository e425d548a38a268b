import { expect, test } from 'vitest';
import { zookeeperAddress } from './address.ts';

test('addresses of an ensemble, IPv6 and the usual port included', () => {
  expect(zookeeperAddress.parse('zookeeper://zk1:2182,zk2,[::1]:2183/a/inferpath')).toEqual({
    servers: [
      { host: 'zk1', port: 2182 },
      { host: 'zk2', port: 2181 },
      { host: '::1', port: 2183 },
    ],
    root: '/a/inferpath',
  });
});

test('what is no address, or names no place of its own, is refused', () => {
  const wrong = [
    'zk1:2181/inferpath',
    'zookeeper://zk1:2181',
    'zookeeper://zk1:2181/',
    'zookeeper://zk1:0/x',
    'zookeeper://zk1:70000/x',
    'zookeeper://zk1,,zk2/x',
    'zookeeper:///x',
    'zookeeper://zk1/../x',
    'zookeeper://zk1/a b',
    'zookeeper://user@zk1/x',
    'zookeeper://zk1/zookeeper',
  ];
  for (const text of wrong)
    expect(zookeeperAddress.safeParse(text).error?.issues[0]?.message).toContain('zookeeper://HOST');
});
