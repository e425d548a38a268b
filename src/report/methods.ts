import type { AssessReport } from '../model/assess.ts';
import type { EvidenceGrade, InferenceRequest } from '../model/inference.ts';
import { describeOutcome, printable } from '../model/outcome.ts';
import { longest } from './facts.ts';
import { num, plural } from './format.ts';

const gradeAbout: Record<EvidenceGrade, string> = {
  'server-reported': "the server's own times",
  kernel: 'kernel stamps and TCP_INFO of the very connection',
  handshake: 'the handshake round trip only',
  none: 'no evidence',
};

/** How the numbers of this run came about, in sentences, with the notes of the run at the end. */
export function howMeasured(report: AssessReport): string[] {
  const requests = report.observations.flatMap((o) => (o.kind === 'inference' ? [o.request] : []));
  return [
    ...probesSeen(report),
    ...(requests.length > 0 ? requestFacts(requests) : ['No inference request was sent.']),
    'A verdict is pass or fail only where the whole interval lies on one side of the target; otherwise it is unknown, and never counted as pass.',
    ...clientFacts(report),
    ...failures(requests),
    ...report.notes.map((n) => printable(n, 600)),
  ];
}

function probesSeen(report: AssessReport): string[] {
  const counts = new Map<string, number>();
  for (const o of report.observations) if (o.kind !== 'client') counts.set(o.kind, (counts.get(o.kind) ?? 0) + 1);
  if (counts.size === 0) return [];
  return [
    `Observations from ${printable(report.vantage, 63)}: ${[...counts].map(([kind, n]) => `${n} ${kind}`).join(', ')}.`,
  ];
}

function requestFacts(requests: readonly InferenceRequest[]): string[] {
  const kernel = requests.filter((r) => r.stamps === 'kernel').length;
  const fresh = requests.filter((r) => !r.reused).length;
  const grades = new Map<EvidenceGrade, number>();
  for (const r of requests)
    if (r.split.ttft) grades.set(r.split.ttft.evidence, (grades.get(r.split.ttft.evidence) ?? 0) + 1);
  const split = [...grades].map(([g, n]) => `${gradeAbout[g]} (${n})`).join(', ');
  return [
    `Arrival times: kernel receive stamps for ${kernel} of ${plural(requests.length, 'request')}; the rest from the clock of this process.`,
    `Connections: ${fresh} requests on fresh ones, ${requests.length - fresh} on reused ones; latency counts from the intended start (open loop).`,
    split
      ? `The split between network and server rests on ${split}; what that does not decide is shown as undetermined.`
      : 'No split between network and server was possible.',
  ];
}

function clientFacts(report: AssessReport): string[] {
  return report.observations.flatMap((o) =>
    o.kind === 'client'
      ? [
          `This client: schedule lag p99 ${num(o.scheduleLagP99Ms)} ms, event loop lag p99 ${num(o.eventLoopLagP99Ms)} ms and at most ${num(o.eventLoopLagMaxMs)} ms, clock step ${num(longest([Math.abs(o.clockStepMs)]))} ms, ${num(o.cpuShare)} CPU.`,
        ]
      : [],
  );
}

/** Requests that did not end with an answer, by reason, the commonest first. */
function failures(requests: readonly InferenceRequest[]): string[] {
  const counts = new Map<string, number>();
  for (const r of requests) {
    if (r.outcome.kind === 'answered') continue;
    const why = `${r.endpoint}: ${describeOutcome(r.outcome)}`;
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1]);
  const lines = sorted.slice(0, 8).map(([why, n]) => `${plural(n, 'request')} without an answer: ${printable(why)}.`);
  if (sorted.length > 8)
    lines.push(`${sorted.length - 8} more reasons for requests without an answer stand in the JSON report.`);
  return lines;
}
