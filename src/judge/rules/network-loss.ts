import { againstShare, type Judged } from '../against.ts';
import { shareClaim } from '../claim.ts';
import { type Draft, evidenceOf, perEndpoint, type Subject } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { count, percent } from '../say.ts';

/** Packets whose fate is known, and how many of them were lost. */
interface Tally {
  sent: number;
  lost: number;
}

export const networkLoss = perEndpoint(
  { id: 'network-loss', about: 'Does the network lose few enough packets (RFC 7680)?', pillar: 'reliability' },
  judgeLoss,
);

function judgeLoss(subject: Subject): Draft {
  const { targets, class: workload } = subject;
  const [pings, syns, segments] = [pingLoss(subject), synLoss(subject), segmentLoss(subject)];
  const arrivals = arrivalsOf(subject);
  const sent = pings.sent + syns.sent + segments.sent;
  const lost = pings.lost + syns.lost + segments.lost;
  const max = targets.networkLoss.max;
  // Arrivals can only acquit: packets out of order may have been lost or overtaken, so they count as lost against a pass
  // and not at all for a fail.
  const certain = againstShare(lost, sent, max);
  const worst = againstShare(lost + arrivals.lost, sent + arrivals.sent, max);
  const judged: Judged =
    certain.verdict === 'fail' || arrivals.sent === 0 || worst.verdict === 'fail' ? certain : worst;
  const how = 'pings, SYN and TCP retransmissions, arrival order';
  return {
    verdict: judged.verdict,
    claim: shareClaim('packets lost', judged, max, workload, 'packet'),
    details: [
      `${tell(pings, 'ping')}, ${tell(syns, 'SYN')}, ${tell(segments, 'segment')} of requests`,
      arrivals.sent === 0
        ? null
        : `${count(arrivals.sent, 'segment')} arrived, ${count(arrivals.lost, 'of them')} out of order`.replace(
            'of thems',
            'of them',
          ),
      byDirection(subject),
    ],
    evidence: [evidenceOf('packet loss', 'share', judged, how)],
    coverage: judged.coverage,
    remedy:
      judged.verdict === 'fail'
        ? {
            text: `find the link that loses ${percent(judged.value)}: read the error and drop counters of the interfaces on the way, replace the bad optics, radio or cable, or give the queue that overflows more room or priority`,
          }
        : undefined,
  };
}

/** Where a STAMP reflector counted, which way the packets went missing. Packets of its own, so they are told and not added. */
function byDirection({ view, name }: Subject): string | null {
  const counted = view.of('stamp', name).flatMap(({ summary }) => summary ?? []);
  const ways = counted.flatMap(({ up, down }) => (up.lost && down.lost ? [{ up, down }] : []));
  if (ways.length === 0) return null;
  const of = (way: 'up' | 'down') => {
    const [least, most] = [0, 1].map((end) => ways.reduce((n, one) => n + (one[way].lost?.[end] ?? 0), 0));
    const offered = ways.reduce((n, one) => n + one[way].offered[1], 0);
    return `${least === most ? most : `${least} to ${most}`} of ${count(offered, 'packet')}`;
  };
  return `by the numbers of the STAMP reflector: ${of('up')} lost on the way there, ${of('down')} on the way back`;
}

function tell({ sent, lost }: Tally, noun: string): string {
  return `${lost} of ${count(sent, noun)}`;
}

function pingLoss({ view, name }: Subject): Tally {
  const pings = view.of('ping', name);
  const lost = pings.filter((p) => p.outcome.kind === 'lost' || p.outcome.kind === 'timedOut').length;
  const replied = pings.filter((p) => p.rttMs !== null || p.outcome.kind === 'refused').length;
  // Silence to every ping is a filter until one reply proves that the method works.
  return replied === 0 ? { sent: 0, lost: 0 } : { sent: replied + lost, lost };
}

function synLoss({ view, name }: Subject): Tally {
  const known = view.of('tcp', name).filter((t) => t.synRetransmits !== null && t.rttMs !== null);
  const lost = known.reduce((n, t) => n + (t.synRetransmits ?? 0), 0);
  return { sent: known.length + lost, lost };
}

/** Request segments and their retransmissions. Retransmissions that the peer reported as needless (DSACK) are not losses. */
function segmentLoss({ view, name }: Subject): Tally {
  const tally = { sent: 0, lost: 0 };
  for (const { tcp, upload, sharedConnection } of requestsOf(view, name)) {
    // Streams that share a connection share its counters too: counted once per stream, one loss would become many.
    if (tcp.retransmits === null || sharedConnection) continue;
    const last = tcp.info.at(-1);
    const dsacks = (last?.dsackDups ?? 0) - (tcp.info[0]?.dsackDups ?? 0);
    const needless = Math.min(tcp.retransmits, Math.max(0, dsacks));
    const segmentBytes = Math.max(500, last?.sndMssBytes ?? 1400);
    tally.lost += tcp.retransmits - needless;
    tally.sent += Math.max(1, Math.ceil(upload.bytes / segmentBytes)) + tcp.retransmits;
  }
  return tally;
}

/** Reads of the streams, each at least one segment, where the kernel counts what came out of order. */
function arrivalsOf({ view, name }: Subject): Tally {
  const tally = { sent: 0, lost: 0 };
  for (const { tcp, tokens, eventsPerRead, sharedConnection } of requestsOf(view, name)) {
    if (tcp.outOfOrder === null || sharedConnection) continue;
    const reads = Math.floor(tokens.events / Math.max(1, eventsPerRead));
    tally.sent += Math.max(reads, tcp.outOfOrder);
    tally.lost += tcp.outOfOrder;
  }
  return tally;
}
