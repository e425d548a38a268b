import type { Probe } from './probe.ts';
import { traceOptions } from './trace/options.ts';
import { traceUpdates } from './trace/updates.ts';

/**
 * The routers on the way to the port and how they hang together, by TTL; one observation when all is said. What a router says
 * of itself: silence is not loss.
 */
export const traceProbe: Probe<typeof traceOptions> = {
  kind: 'trace',
  about: 'The paths to the port, hop by hop, by TTL; without privilege by the socket error queue',
  options: traceOptions,
  async *run(target, options, io, signal) {
    for await (const { phase, trace } of traceUpdates(target, options, io, signal)) if (phase === 'done') yield trace;
  },
};
