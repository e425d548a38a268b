import { expect, test } from 'vitest';
import { observation } from '../model/observation.ts';
import { dnsProbe } from './dns.ts';
import { inferenceProbe } from './inference/probe.ts';
import { mtuProbe } from './mtu/probe.ts';
import { pingProbe } from './ping.ts';
import { probeContract } from './probe.case.ts';
import { probes } from './probes.ts';
import { responsivenessProbe } from './responsiveness/probe.ts';
import { stampProbe } from './stamp/probe.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';
import { throughputProbe } from './throughput/probe.ts';
import { traceProbe } from './trace.ts';

const platforms = ['darwin'];
const patientMs = 60_000;

probeContract('dns', { probe: dnsProbe, quick: {}, slow: { timeoutMs: patientMs }, platforms });

probeContract('tcp', {
  probe: tcpProbe,
  quick: { count: 3, intervalMs: 5, timeoutMs: 200 },
  slow: { count: 1000, intervalMs: 1000, timeoutMs: patientMs },
  platforms,
});

probeContract('tls', {
  probe: tlsProbe,
  quick: { count: 2, timeoutMs: 200 },
  slow: { count: 100, timeoutMs: patientMs },
  scheme: 'https',
  platforms,
});

probeContract('trace', { probe: traceProbe, quick: { budgetMs: 500 }, slow: { budgetMs: patientMs }, platforms });

for (const method of ['udp', 'tcp', 'icmp'] as const) {
  probeContract(`trace by ${method}`, {
    probe: traceProbe,
    quick: { method, budgetMs: 500 },
    slow: { method, budgetMs: patientMs },
  });
}

probeContract('ping', {
  probe: pingProbe,
  quick: { count: 3, intervalMs: 5, timeoutMs: 200 },
  slow: { count: 1000, intervalMs: 1000, timeoutMs: patientMs },
  platforms,
});

probeContract('mtu', {
  probe: mtuProbe,
  quick: { timeoutMs: 200 },
  slow: { timeoutMs: patientMs, count: 10 },
  platforms,
});

const brief = { requests: 2, promptTokens: 5, maxTokens: 2, timeoutMs: 200, connectTimeoutMs: 200 };
const patient = { requests: 1000, timeoutMs: patientMs, connectTimeoutMs: patientMs };
probeContract('inference', { probe: inferenceProbe, quick: brief, slow: patient, platforms });
probeContract('inference on a schedule', {
  probe: inferenceProbe,
  quick: { ...brief, ratePerS: 50, fresh: true },
  slow: { ...patient, ratePerS: 1 },
  scheme: 'https',
});

test('the registry holds every probe that measures somebody else, once', () => {
  // The client watches itself, sums of round trips come from other tools only, and captures show what others did: none is a probe.
  const others = /^(client|round-trips|transfer|capture-.+)$/;
  const kinds = observation.options.map((o) => o.shape.kind.value).filter((kind) => !others.test(kind));
  expect(probes.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted());
  expect(probes).toEqual([
    dnsProbe,
    tcpProbe,
    tlsProbe,
    traceProbe,
    mtuProbe,
    pingProbe,
    stampProbe,
    throughputProbe,
    responsivenessProbe,
    inferenceProbe,
  ]);
});
