import type { CaptureFlow, Limit, TcpSide } from '../../model/capture/flow.ts';
import type { Connection } from './tcp/connection.ts';
import type { Direction } from './tcp/direction.ts';
import type { RoundTrip } from './tcp/round-trip.ts';

/** The TCP part of a flow's record. */
export function tcpRecord(connection: Connection): NonNullable<CaptureFlow['tcp']> {
  const { client, server } = connection;
  const reset = client.reset || server.reset;
  return {
    fromStart: client.hasSyn,
    end: reset ? 'reset' : connection.closed ? 'closed' : 'open',
    handshakeMs: Number.isNaN(connection.handshakeMs) ? null : micro(connection.handshakeMs),
    // What the server sent comes back from the client.
    toClient: roundTripRecord(server.roundTrip),
    toServer: roundTripRecord(client.roundTrip),
    client: sideRecord(client),
    server: sideRecord(server),
  };
}

function roundTripRecord(of: RoundTrip): NonNullable<CaptureFlow['tcp']>['toClient'] {
  if (of.samples === 0) return null;
  return {
    lowestMs: micro(of.lowestMs),
    meanMs: micro(of.sumMs / of.samples),
    highestMs: micro(of.highestMs),
    samples: of.samples,
  };
}

function sideRecord(side: Direction): TcpSide {
  const { heldMs } = side;
  return {
    packets: side.packets,
    dataPackets: side.dataPackets,
    payloadOctets: side.payloadOctets,
    retransmissions: side.retransmissions,
    retransmittedSegments: side.retransmittedSegments,
    retransmittedOctets: side.retransmittedOctets,
    originalsUnseen: side.unseenOriginals,
    spuriousSegments: side.spurious,
    triggers: side.byTrigger,
    reordered: side.reordered,
    missingBeforeTap: side.ipId.usable ? side.ipId.missing : null,
    captureLossOctets: side.captureLossOctets,
    captureLosses: side.captureLosses,
    zeroWindows: side.zeroWindows,
    zeroWindowMs: micro(side.zeroWindowMs),
    windowFull: side.windowFull,
    keepAlives: side.keepAlives,
    windowProbes: side.windowProbes,
    congestionMarks: side.congestionMarks,
    congestionEchoes: side.congestionEchoes,
    limitedBy: limitOf(side),
    waitedMs: {
      sender: micro(heldMs.sender),
      receiver: micro(heldMs.receiver),
      network: micro(heldMs.network),
      recovery: micro(heldMs.recovery),
    },
    offload: side.largestPayload > side.segmentOctets && side.mss > 0,
  };
}

/** What most of the waiting was for; null where it never waited. */
function limitOf({ heldMs, dataPackets }: Direction): Limit | null {
  const most = (Object.keys(heldMs) as Limit[]).reduce((a, b) => (heldMs[b] > heldMs[a] ? b : a));
  return dataPackets > 1 && heldMs[most] > 0 ? most : null;
}

/** Whole microseconds: what finer digits there are come from adding up. */
export function micro(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
