import { median } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { howOf } from '../captured.ts';
import { quantileClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { risingOf } from '../samples.ts';
import { ms, percentileName } from '../say.ts';

export const captureRtt = perEndpoint(
  { id: 'capture-rtt', about: 'Is the way short enough for those whose traffic was captured?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft | null => {
    const connections = view.of('capture-connection', name);
    // The lowest of each connection: the others hold delayed acknowledgements and queues.
    const timed = connections.flatMap(({ toServer, toClient }) =>
      toServer && toClient ? [{ toServer, toClient }] : [],
    );
    if (timed.length === 0) return null;
    const limit = targets.networkRttMs;
    const judged = againstQuantile(
      risingOf(timed, ({ toServer, toClient }) => toServer.lowestMs + toClient.lowestMs),
      limit,
    );
    const how = `lowest of each connection, ${howOf(connections)}`;
    const [near, far] = [median(timed.map((t) => t.toClient.lowestMs)), median(timed.map((t) => t.toServer.lowestMs))];
    return {
      verdict: judged.verdict,
      claim: quantileClaim('round trip of captured connections', judged, limit, workload, how),
      details: [`in the median ${ms(far)} between tap and server, ${ms(near)} between tap and client`],
      evidence: [evidenceOf(`captured RTT ${percentileName(limit.percentile)}`, 'ms', judged, how)],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: `bring endpoint and clients together, beginning ${far >= near ? 'between tap and server' : 'between tap and client'}, where most of the way is`,
            }
          : undefined,
    };
  },
);
