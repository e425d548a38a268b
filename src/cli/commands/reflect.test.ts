import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { plainIo } from '../../lab/reflect/test-io.case.ts';
import type { Io } from '../../wire/io.ts';
import { reflectLine } from '../../lab/reflect/lines.ts';
import { errorEstimate, readReflector, writeSender } from '../../wire/stamp.ts';
import { parseArgs } from '../args.ts';
import { exitCode } from '../command.ts';
import { reflect } from './reflect.ts';

/** Runs the command with what it touches of the outside world faked; `interrupt` is Ctrl-C. */
function runReflect(...argv: string[]) {
  const stop = new AbortController();
  const printed = { out: '', err: '' };
  const plain = plainIo();
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((done, fail) => {
      const stopped = () => (clearTimeout(timer), fail(signal?.reason as Error));
      const timer = setTimeout(() => (signal?.removeEventListener('abort', stopped), done()), ms);
      signal?.addEventListener('abort', stopped);
    });
  const io = {
    ...plain,
    platform: process.platform,
    env: { EMPTY: '' },
    clock: { ...plain.clock, sleep },
    fs: { readText: () => Promise.reject(new Error('no such file')) },
    terminal: {
      out: (text: string) => (printed.out += text),
      err: (text: string) => (printed.err += text),
    },
    signals: { interrupted: stop.signal, onHangUp: () => undefined },
  } as unknown as Io;
  const { flags, positionals, rest } = parseArgs(reflect, argv);
  const code = reflect.run({ flags: flags as Parameters<typeof reflect.run>[0]['flags'], positionals, rest, io });
  return { code, printed, interrupt: () => stop.abort(new Error('interrupted')) };
}

describe('inferpath reflect', () => {
  test('tells where it listens, ends by itself after --duration and sums up', async () => {
    const run = runReflect('--listen', '127.0.0.1:0', '--duration', '0.05');
    expect(await run.code).toBe(exitCode.ready);
    expect(run.printed.out).toMatch(/^reflecting on http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(run.printed.err).toMatch(/^0 requests \(0 refused, 0 cut short\), 0 tokens; behind schedule p50/);
  });

  test('answers with the flags it was given until it is interrupted, then ends with 130', async () => {
    const run = runReflect(
      '--listen',
      '127.0.0.1:0',
      '--json',
      '--tokens',
      '3',
      '--token-ms=1',
      '--prefill-ms-per-1k-tokens=5',
    );
    while (run.printed.out === '') await new Promise((done) => setTimeout(done, 5));
    const { event, url } = JSON.parse(run.printed.out) as { event: string; url: string };
    expect(event).toBe('listening');
    const body = JSON.stringify({ model: 'm', prompt: 'hi', stream: false });
    const reply = await fetch(`${url}/api/generate`, { method: 'POST', body });
    expect(await reply.json()).toMatchObject({ response: 'the path of', eval_count: 3 });
    run.interrupt();
    expect(await run.code).toBe(exitCode.interrupted);
    expect(JSON.parse(run.printed.out.split('\n')[1]!)).toMatchObject({ event: 'ended', requests: 1, tokens: 3 });
  });

  test.each([
    [['--cert', 'a.pem'], '--key: found nothing; allowed: a file, since --cert is given'],
    [['--cert', 'a.pem', '--key', 'b.pem'], '--cert: cannot read "a.pem": no such file'],
    [['--client-ca', 'c.pem'], '--client-ca: cannot read "c.pem": no such file'],
  ])('%j is refused', async (argv, message) => {
    await expect(runReflect(...argv).code).rejects.toThrow(message);
  });

  test.skipIf(process.platform !== 'linux')('reflects STAMP packets beside HTTP, and says how many', async () => {
    const run = runReflect('--listen', '127.0.0.1:0', '--stamp-listen', '127.0.0.1:0', '--json');
    while (run.printed.out === '') await new Promise((done) => setTimeout(done, 5));
    const { stamp } = reflectLine.parse(JSON.parse(run.printed.out)) as { stamp: { address: string; port: number } };
    const socket = createSocket('udp4');
    const packet = Buffer.alloc(44);
    writeSender(packet, { sequence: 5, time: { sec: 1, nsec: 1 }, error: errorEstimate(1, false), ssid: 0 });
    socket.send(packet, stamp.port, stamp.address);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    expect(readReflector(answer, answer.length)?.sender.sequence).toBe(5);
    run.interrupt();
    expect(await run.code).toBe(exitCode.interrupted);
    const ended = reflectLine.parse(JSON.parse(run.printed.out.split('\n')[1]!));
    expect(ended).toMatchObject({ event: 'ended', stamp: { received: 1, reflected: 1, sessions: 1 } });
  });

  test.skipIf(process.platform !== 'linux')('what keeps it from reflecting STAMP is told with a way out', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const where = `127.0.0.1:${taken.address().port}`;
    await expect(runReflect('--listen', '127.0.0.1:0', '--stamp-listen', where).code).rejects.toMatchObject({
      message: expect.stringContaining('EADDRINUSE'),
      hint: expect.stringContaining('another program'),
    });
    taken.close();
    await expect(runReflect('--stamp-listen', 'localhost:1').code).rejects.toThrow('an IP address and a port');
    await expect(runReflect('--stamp', '--stamp-key-env', 'EMPTY').code).rejects.toThrow('EMPTY');
  });

  test.each([
    ['--token-ms', 'norml:1,2', 'unknown distribution "norml"'],
    ['--listen', 'nowhere', 'allowed: HOST:PORT'],
    ['--stall', '3:5', 'P has to be a number from 0 to 1'],
    ['--tokens', '0', 'whole number from 1 to 100000'],
    ['--server-times', 'sometimes', 'one of "none", "body", "headers"'],
  ])('%s %s is refused', (flag, value, message) => {
    expect(() => runReflect(flag, value)).toThrow(message);
  });
});
