import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { stampLimits, startStampReflector } from '../../lab/reflect/stamp/stamp-reflector.ts';
import { stampReport } from '../../model/stamp-report.ts';
import { parseArgs } from '../args.ts';
import { exitCode } from '../command.ts';
import { stamp } from './stamp.ts';

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const io = fakeIo({ realClock: true, platform: process.platform, env });
  const { flags, positionals, rest } = parseArgs(stamp, argv);
  const code = await stamp.run({ flags: flags as Parameters<typeof stamp.run>[0]['flags'], positionals, rest, io });
  return { code, stdout: io.stdout() };
}

const policy = { stateful: true, sizes: false, limits: stampLimits };

describe.skipIf(process.platform !== 'linux')('inferpath stamp', () => {
  test('measures against our reflector, authenticated, and prints a report of its schema', async () => {
    const reflector = await startStampReflector({ address: '127.0.0.1', port: 0, key: Buffer.from('k1'), ...policy });
    const argv = [`127.0.0.1:${reflector.port}`, '--count', '50', '--rate', '500', '--key-env', 'KEY'];
    try {
      const { code, stdout } = await run([...argv, '--json'], { KEY: 'k1' });
      const { result, target } = stampReport.parse(JSON.parse(stdout));
      expect({ code, target }).toEqual({ code: exitCode.ready, target: argv[0] });
      expect(result.summary).toMatchObject({ sent: 50, answered: 50, counting: 'stateful', up: { lost: [0, 0] } });
      expect(result.summary!.rtt!.minMs).toBeLessThan(50);
      const wrong = await run([...argv, '--timeout', '0.1'], { KEY: 'k2' });
      expect(wrong.code).toBe(exitCode.couldNotMeasure);
      expect(wrong.stdout).toContain('NO ANSWER');
    } finally {
      await reflector.stop();
    }
  });

  test.each([
    [['a b'], 'allowed: host, host:port'],
    [['http://x/'], 'allowed: host, host:port'],
    [['x', '--count', '1', '--duration', '1'], 'one of the two'],
    [['x', '--key-env', 'NONE'], 'the environment has no NONE'],
    [['x', '--duration', '86400', '--rate', '1000'], 'at most 1000000'],
  ])('%j is refused', async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(message);
  });
});
