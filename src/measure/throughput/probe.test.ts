import { probeContract } from '../probe.case.ts';
import { throughputProbe } from './probe.ts';

probeContract('throughput', {
  probe: throughputProbe,
  quick: { port: 'url', durationS: 0.2, latency: false },
  slow: { port: 'url', durationS: 60 },
  platforms: ['darwin'],
});
