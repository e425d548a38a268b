import type { RatePeriod } from './rate-series.ts';
import type { FlowSummary } from './summary.ts';

/** Autocorrelation that counts as a repetition, and what it must still be one period further. */
const strengthNeeded = 0.5;
const againNeeded = 0.3;
/** Less is an even rate whose packets fall into one bin more or less in turn, which repeats as well. */
const depthNeeded = 0.4;
/** Without a clear peak: bursts that keep time like a clock. */
const cvNeeded = 0.25;
const burstsNeeded = 6;
/** A sender that waits for its window sends once per round trip; a period has to be longer than that. */
const roundTrips = 3;
export const shortestMs = 20;
/** Octets of an ordinary burst below which a repetition is some protocol's heartbeat. */
const burstBytesNeeded = 64 * 1024;

/** Whether the rate of a flow repeats itself, in bursts worth the name. False also where that is not known. */
export function isPeriodic({ detail }: FlowSummary): boolean {
  if (!detail || (detail.burstP50Bytes ?? 0) < burstBytesNeeded) return false;
  const { period } = detail;
  const longEnough = Math.max(shortestMs, roundTrips * (detail.handshakeMs ?? 0));
  if (period && period.periodMs >= longEnough && isClear(period)) return true;
  return (
    detail.largeBursts >= burstsNeeded &&
    detail.burstIntervalCv !== null &&
    detail.burstIntervalCv <= cvNeeded &&
    detail.burstIntervalMs! >= longEnough
  );
}

function isClear({ strength, again, depth }: RatePeriod): boolean {
  return strength >= strengthNeeded && again >= againNeeded && depth >= depthNeeded;
}

/** Time between repetitions: of the rate, else of the bursts; null where there is none. */
export function periodMs(summary: FlowSummary): number | null {
  const { detail } = summary;
  if (!detail || !isPeriodic(summary)) return null;
  const hasBeat = (detail.burstIntervalCv ?? Infinity) <= cvNeeded;
  return hasBeat ? detail.burstIntervalMs : (detail.period?.periodMs ?? detail.burstIntervalMs);
}
