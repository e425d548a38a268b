import { againstShare, type Judged } from '../against.ts';
import { type CapturedConnection, howOf } from '../captured.ts';
import { shareClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { count, percent } from '../say.ts';

/** Packets lost by where it happened. */
interface Places {
  sent: number;
  /** Between client and tap, both ways. */
  clientSide: number;
  serverSide: number;
  /** Lost by the capture, so that their fate is unknown. */
  unseen: number;
  needless: number;
}

export const captureLoss = perEndpoint(
  {
    id: 'capture-loss',
    about: 'Does the network lose few enough of the captured packets, and on which side of the tap?',
    pillar: 'reliability',
  },
  ({ view, name, targets, class: workload }): Draft | null => {
    const connections = view.of('capture-connection', name);
    const places = placesOf(connections);
    if (places.sent === 0) return null;
    const { max } = targets.networkLoss;
    const lost = places.clientSide + places.serverSide;
    const sure = againstShare(lost, places.sent, max);
    const most = againstShare(lost + places.unseen, places.sent + places.unseen, max);
    const judged: Judged = sure.verdict === 'fail' || places.unseen === 0 ? sure : most;
    const verdict = sure.verdict === 'fail' ? 'fail' : most.verdict === 'pass' ? 'pass' : 'unknown';
    const how = `TCP of both directions, ${howOf(connections)}`;
    const claim = shareClaim('captured packets lost', { ...judged, verdict }, max, workload, 'packet');
    return {
      verdict,
      claim,
      details: [
        `${places.serverSide} lost between tap and server, ${places.clientSide} between tap and client, of ${count(places.sent, 'packet')} with data`,
        places.needless > 0 ? `${places.needless} more were sent again although nothing was lost` : null,
        places.unseen > 0 ? `${places.unseen} more were lost by the capture itself` : null,
      ],
      evidence: [evidenceOf('captured packet loss', 'share', judged, how)],
      coverage: judged.coverage,
      remedy: verdict === 'fail' ? { text: remedyFor(places, judged.value) } : undefined,
    };
  },
);

/** What is sent before the tap by the server is lost on its side; behind the tap, on that of the client. */
function placesOf(connections: readonly CapturedConnection[]): Places {
  const places: Places = { sent: 0, clientSide: 0, serverSide: 0, unseen: 0, needless: 0 };
  for (const { up, down } of connections) {
    places.clientSide += up.lostBeforeTap + down.lostBehindTap;
    places.serverSide += up.lostBehindTap + down.lostBeforeTap;
    // A first copy that the tap never saw is one packet more.
    places.sent += up.dataPackets + down.dataPackets + up.lostBeforeTap + down.lostBeforeTap;
    places.unseen += up.captureLosses + down.captureLosses;
    places.needless += up.needless + down.needless;
  }
  return places;
}

function remedyFor({ clientSide, serverSide }: Places, share: number): string {
  const side =
    clientSide > 3 * serverSide
      ? 'between tap and client'
      : serverSide > 3 * clientSide
        ? 'between tap and server'
        : 'on both sides of the tap';
  return `find the link ${side} that loses ${percent(share)}: read error and drop counters of its interfaces, replace bad optics, radio or cable, or give the queue that overflows room or priority`;
}
