import { againstShare } from '../against.ts';
import { type CapturedConnection, howOf } from '../captured.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { count, needs, percent, range } from '../say.ts';

/** Beyond this share of packets that the capture lost, what it says of loss and stalls is doubtful. */
const tolerated = 0.01;
/** Share of connections of which one direction only was seen, above which the tap stands in the wrong place. */
const toleratedOneSided = 0.1;

export const captureQuality = perEndpoint(
  { id: 'capture-quality', about: 'Is the capture good enough to judge the endpoint by?', pillar: 'reliability' },
  ({ view, name }): Draft | null => {
    const connections = view.of('capture-connection', name);
    if (connections.length === 0) return null;
    const seen = connections.reduce((n, { up, down }) => n + up.dataPackets + down.dataPackets, 0);
    const lost = connections.reduce((n, { up, down }) => n + up.captureLosses + down.captureLosses, 0);
    const judged = againstShare(lost, seen + lost, tolerated);
    const oneSided = connections.filter(({ bothWays }) => !bothWays).length;
    const isOneSided = oneSided > toleratedOneSided * connections.length;
    const interval = judged.interval ? ` ${range(judged.interval, 100)}` : '';
    const share = `the capture missed ${percent(judged.value)}${interval} of ${count(seen + lost, 'packet')} against ${percent(tolerated)}`;
    const verdict = judged.verdict === 'pass' && !isOneSided ? 'pass' : 'unknown';
    return {
      verdict,
      claim: isOneSided
        ? `${share}, and saw one direction only of ${oneSided} of ${count(connections.length, 'connection')}`
        : judged.verdict === 'unknown'
          ? `${share}: ${needs(judged.missing, 'packet')}`
          : share,
      details: [...wholeOf(view.of('capture-quality', 'capture')), middleOf(connections)],
      evidence: [evidenceOf('packets missed by the capture', 'share', judged, howOf(connections))],
      coverage: Math.min(judged.coverage, 1 - oneSided / connections.length, 0.99),
      remedy: verdict === 'pass' ? undefined : { text: remedyFor(lost > 0, isOneSided) },
    };
  },
);

function wholeOf(captures: ReturnType<Parameters<typeof captureQuality.judge>[1]['of']>): string[] {
  return captures.flatMap((one) => {
    if (one.kind !== 'capture-quality') return [];
    return [
      one.recordedDrops > 0 ? `the capture says itself that it dropped ${count(one.recordedDrops, 'packet')}` : null,
      one.duplicates > 0
        ? `${count(one.duplicates, 'packet')} came twice, as of a mirror port, and were left out`
        : null,
      one.problems.length > 0 ? `${count(one.problems.length, 'file')} could not be read to its end` : null,
    ].flatMap((text) => text ?? []);
  });
}

function middleOf(connections: readonly CapturedConnection[]): string | null {
  const middle = connections.filter(({ fromStart }) => !fromStart).length;
  return middle > 0 ? `${middle} of ${count(connections.length, 'connection')} began before the capture` : null;
}

function remedyFor(hasLost: boolean, isOneSided: boolean): string {
  if (isOneSided)
    return 'mirror both directions of the link, or capture on the host itself: where ways differ, no one tap sees both';
  if (hasLost)
    return 'capture fewer octets of each packet (-s 160), filter in the kernel, give the capture a larger buffer (tcpdump -B), or use a tap in place of a mirror port';
  return 'capture for longer';
}
