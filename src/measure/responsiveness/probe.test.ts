import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { collect, probeContract, targetOf } from '../probe.case.ts';
import { responsivenessProbe } from './probe.ts';

probeContract('responsiveness', {
  probe: responsivenessProbe,
  quick: { durationS: 0.5, intervalS: 0.5, insecure: true },
  slow: { durationS: 60, insecure: true },
  scheme: 'https',
  platforms: ['darwin'],
});

test('an endpoint without TLS is an outcome that says what is missing', async () => {
  const io = fakeIo({ realClock: true });
  const never = new AbortController().signal;
  const options = responsivenessProbe.options.parse({});
  const [one] = await collect(responsivenessProbe.run(targetOf('http://127.0.0.1:9/'), options, io, never));
  expect(one).toMatchObject({ outcome: { kind: 'failed', errno: 'EPROTO' }, directions: [] });
  expect(one?.how).toContain('https');
});
