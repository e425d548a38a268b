import * as z from 'zod';
import type { ServerAddress } from '../../wire/zookeeper/connection.ts';

export interface ZookeeperAddress {
  servers: ServerAddress[];
  root: string;
}

const form = /^zookeeper:\/\/([^/]+)((?:\/[A-Za-z0-9_.:-]+)+)$/;
const server = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/;

/** `zookeeper://host:port,host:port/path`: the form that ZooKeeper's own clients take, with a scheme before it. */
export const zookeeperAddress = z.string().transform((text, context): ZookeeperAddress => {
  const [, hosts = '', root = ''] = form.exec(text) ?? [];
  const servers = hosts.split(',').flatMap((host) => {
    const [, v6, name, port = '2181'] = server.exec(host) ?? [];
    const found = v6 ?? name;
    return found !== undefined && Number(port) > 0 && Number(port) < 65_536
      ? [{ host: found, port: Number(port) }]
      : [];
  });
  const isPath = !root.split('/').some((part) => part === '.' || part === '..');
  if (servers.length === hosts.split(',').length && isPath && root !== '/zookeeper') return { servers, root };
  context.issues.push({
    code: 'custom',
    input: text,
    message: 'must be zookeeper://HOST:PORT,…/PATH, e.g. zookeeper://zk1:2181,zk2:2181,zk3:2181/inferpath',
  });
  return z.NEVER;
});
