import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConnectError, type TcpTarget, type TcpTransport } from './connection.ts';

const never = new AbortController().signal;

/** A server on a free port of loopback, its target, and what ends it. */
export async function listening(
  serve: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<{ target: TcpTarget; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  const { port } = server.address() as { port: number };
  return {
    target: { address: host, family: host.includes(':') ? 6 : 4, port },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** What every way of making TCP connections must do. */
export function transportContract(open: () => TcpTransport): void {
  let transport: TcpTransport;
  let closeServer: (() => Promise<void>) | undefined;
  const serve = async (handler: (socket: Socket) => void, host?: string) => {
    const { target, close } = await listening(handler, host);
    closeServer = close;
    return target;
  };
  beforeEach(async () => {
    transport = open();
    await transport.ready;
  });
  afterEach(async () => {
    await transport.close();
    await closeServer?.();
    closeServer = undefined;
  });

  test.each(['127.0.0.1', '::1'])('echo over %s, every byte accounted for in the trace', async (host) => {
    const target = await serve((socket) => socket.pipe(socket), host);
    const connection = await transport.connect(target, never);
    const { stream, trace } = connection;
    const got: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => {
      expect(connection.arriving?.endOffset).toBe(Buffer.concat([...got, bytes]).length);
      got.push(bytes);
    });
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i & 255));
    stream.write(sent.subarray(0, 1000));
    stream.end(sent.subarray(1000));
    await once(stream, 'end');
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    expect(trace.sendings.at(-1)?.endOffset).toBe(100_000);
    expect(trace.arrivals.at(-1)?.endOffset).toBe(100_000);
    const stamps = [trace.connectMs, trace.connectedMs ?? Number.NaN, ...trace.arrivals.map((a) => a.atMs)];
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect(trace.arrivals.every((a) => a.atMs <= a.readAtMs)).toBe(true);
    await connection.close();
  });

  test('a closed port is a ConnectError with errno and address', async () => {
    const target = await serve(() => undefined);
    await closeServer?.();
    closeServer = undefined;
    const error: unknown = await transport.connect(target, never).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ operation: 'connect', errno: 'ECONNREFUSED', address: `127.0.0.1:${target.port}` });
  });

  test('a signal that is aborted already makes no connection', async () => {
    let accepted = 0;
    const target = await serve(() => accepted++);
    const reason = new Error('no longer wanted');
    await expect(transport.connect(target, AbortSignal.abort(reason))).rejects.toBe(reason);
    await sleep(20);
    expect(accepted).toBe(0);
  });

  test('aborting while it connects rejects with the reason of the signal, at once', async () => {
    // TEST-NET-1 (RFC 5737): nobody answers there; where a router says so, the error is as good.
    const controller = new AbortController();
    const reason = new Error('stopped');
    setTimeout(() => controller.abort(reason), 50);
    const error: unknown = await transport
      .connect({ address: '192.0.2.1', family: 4, port: 9 }, controller.signal)
      .catch((e: unknown) => e);
    expect(error === reason || error instanceof ConnectError).toBe(true);
  });

  test('a reset by the peer is an error of the stream with its code', async () => {
    const target = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { stream } = await transport.connect(target, never);
    stream.write('hello');
    const [error] = (await once(stream.resume(), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  test('the end of the peer is the end of the stream, and we may go on writing', async () => {
    const target = await serve((socket) => {
      socket.end('bye');
      socket.on('data', (bytes: Buffer) => expect(bytes.toString()).toBe('after'));
    });
    const { stream, close } = await transport.connect(target, never);
    await once(stream.resume(), 'end');
    await new Promise<void>((done, fail) => stream.write('after', (error) => (error ? fail(error) : done())));
    await close();
  });

  test('close() twice is as good as once, and readInfo() is null afterwards', async () => {
    const target = await serve((socket) => socket.resume());
    const connection = await transport.connect(target, never);
    await connection.close();
    await connection.close();
    expect(connection.stream.destroyed).toBe(true);
    expect(await connection.readInfo('late')).toBeNull();
  });

  test('closing the transport ends open connections', async () => {
    let ended = 0;
    const target = await serve((socket) =>
      socket
        .resume()
        .once('close', () => ended++)
        .once('end', () => socket.end()),
    );
    const connections = await Promise.all([1, 2, 3].map(() => transport.connect(target, never)));
    await transport.close();
    expect(connections.every((c) => c.stream.destroyed)).toBe(true);
    await expect.poll(() => ended).toBe(3);
    transport = open();
  });
}
