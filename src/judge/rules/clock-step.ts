import { aboutClient, type Draft } from '../per-endpoint.ts';
import { ms } from '../say.ts';

/** NTP slews below this; a larger jump is a step (ntpd steps from 128 ms on, chrony and VMs from much less). */
const stepMs = 5;

export const clockStep = aboutClient(
  { id: 'clock-step', about: 'Did the wall clock jump while kernel stamps were taken from it?', pillar: 'speed' },
  (_network, view): Draft | null => {
    const runs = view.client();
    if (runs.length === 0) return null;
    const largest = Math.max(...runs.map((c) => Math.abs(c.clockStepMs)));
    const jumped = largest > stepMs;
    return {
      verdict: jumped ? 'fail' : 'pass',
      claim: `the wall clock moved by at most ${ms(largest)} against the monotonic clock; ${ms(stepMs)} are acceptable`,
      details: jumped ? ['kernel receive stamps are wall-clock times: those around the step are wrong by it'] : [],
      evidence: [
        { metric: 'clock step', value: largest, unit: 'ms', n: runs.length, how: 'realtime less monotonic clock' },
      ],
      remedy: jumped
        ? { text: 'let chrony or ntpd settle (or stop the tool that sets the clock) and measure again' }
        : undefined,
    };
  },
);
