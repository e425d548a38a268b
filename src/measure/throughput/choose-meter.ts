import type { Io } from '../../wire/io.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { LatencyMeter } from './latency.ts';
import type { ClientOptions } from './options.ts';
import { handshakeProbe, icmpProbe, type RttProbe, udpEchoProbe } from './rtt-probes.ts';

/** How long a way of asking has to show that it is answered. */
const TRIAL_MS = 1000;
/** A server that is ours answers at once; three are sent, so one loss does not hide it. */
const TRIAL_PROBES = 3;
const TRIAL_GAP_MS = 50;
const POLL_MS = 5;

/**
 * The best way to measure round trips to this server: our own echo, ICMP where it is permitted and answered, and handshakes where
 * nothing else is. The first probes are only a trial: they pay for neighbour discovery and cold caches.
 */
export async function chooseMeter(options: ClientOptions, io: Io, signal: AbortSignal): Promise<LatencyMeter> {
  const { latencyIntervalMs } = options;
  const token = BigInt(Math.floor(io.random.next() * 2 ** 48));
  for (const open of [() => udpEchoProbe(options, token), () => icmpProbe(options)]) {
    const probe = opened(open);
    if (probe === null) continue;
    const offset = await answers(probe, io, signal);
    if (offset) return new LatencyMeter(probe, io, latencyIntervalMs);
    probe.close();
  }
  return new LatencyMeter(handshakeProbe(options), io, latencyIntervalMs);
}

function opened(open: () => RttProbe): RttProbe | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof SystemCallError) return null;
    throw error;
  }
}

/** Numbers of the trial, far from those of the measurement: an answer that comes late is nobody's. */
const TRIAL_FIRST = 0xff00;

async function answers(probe: RttProbe, io: Io, signal: AbortSignal): Promise<boolean> {
  const beganMs = io.clock.monoMs();
  let sent = 0;
  const heard = new Set<number>();
  while (heard.size === 0 && io.clock.monoMs() - beganMs < TRIAL_MS) {
    if (sent < TRIAL_PROBES && io.clock.monoMs() - beganMs >= sent * TRIAL_GAP_MS) probe.send(TRIAL_FIRST + sent++);
    probe.poll((sequence, rttMs) => rttMs !== null && heard.add(sequence));
    if (heard.size === 0) await io.clock.sleep(POLL_MS, signal);
  }
  return heard.size > 0;
}
