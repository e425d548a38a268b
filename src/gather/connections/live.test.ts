import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConnections } from './read.ts';

/** One TCP connection per family on loopback, as the kernel, ss and netstat show it. */
describe.skipIf(process.platform !== 'linux')('the same sockets by different ways (on Linux)', () => {
  const servers: Server[] = [];
  const clients: Socket[] = [];
  const wanted: string[] = [];

  beforeAll(async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer();
      server.listen(0, host);
      // A machine without IPv6 has one family less.
      const isUp = await Promise.race([
        once(server, 'listening').then(() => true),
        once(server, 'error').then(() => false),
      ]);
      if (!isUp) continue;
      servers.push(server);
      const { port } = server.address() as AddressInfo;
      const client = connect(port, host);
      clients.push(client);
      await Promise.all([once(client, 'connect'), once(server, 'connection')]);
      wanted.push(
        `${host} ${port} listen`,
        `${host} ${port} in ${client.localPort}`,
        // Both ends are on this host: seen from the other one it is a connection to outside.
        `${host} ${client.localPort} out ${port}`,
      );
    }
  });
  afterAll(() => {
    for (const client of clients) client.destroy();
    for (const server of servers) server.close();
  });

  const shown = (text: string, format: 'proc-net' | 'ss' | 'netstat') => {
    const { connections, counts, mistakes } = readConnections(text, { source: format });
    expect(counts.format).toBe(format);
    expect(mistakes).toEqual([]);
    return connections.map(
      ({ local, remote, direction }) => `${local.address} ${local.port} ${direction}${remote ? ` ${remote.port}` : ''}`,
    );
  };
  const output = (tool: string, args: string[]) => {
    const { stdout, error } = spawnSync(tool, args, { encoding: 'utf8', timeout: 10_000 });
    return error ? null : stdout;
  };

  it('/proc/net', () => {
    const text = ['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFileSync(`/proc/net/${name}`, 'utf8')).join('');
    expect(shown(text, 'proc-net')).toEqual(expect.arrayContaining(wanted));
  });

  it('ss, where it is installed', ({ skip }) => {
    const text = output('ss', ['-H', '-tunaOp']);
    if (text === null) skip('ss is not installed');
    expect(shown(text!, 'ss')).toEqual(expect.arrayContaining(wanted));
  });

  it('netstat, where it is installed', ({ skip }) => {
    const text = output('netstat', ['-tunapW']);
    if (text === null) skip('netstat is not installed');
    expect(shown(text!, 'netstat')).toEqual(expect.arrayContaining(wanted));
  });
});
