import type { TraceAnswer, TraceRecord } from '../../model/trace-record.ts';
import { printable } from '../../model/outcome.ts';
import { describeIcmp } from '../../wire/icmp.ts';
import type { Io } from '../../wire/io.ts';
import type { TraceReply } from '../../wire/trace/transport.ts';
import { UPDATE_MS } from './discovery.ts';
import type { Probed, Prober } from './prober.ts';

/** A path to be measured: a flow that takes it, and how far it goes. */
export interface Course {
  flow: number;
  lastTtl: number;
}

export interface RoundOptions {
  count: number;
  intervalMs: number;
  firstTtl: number;
  maxTtl: number;
}

/** What became known since the last word: rounds that are complete, and their probes. */
export interface RoundNews {
  round: number;
  records: TraceRecord[];
}

const POLL_MS = 1;
/** Paths measured in one round; where there are more, rounds take turns. */
const MOST_COURSES = 8;
/** End hosts limit port unreachables to about one per second: more than one path per round would show as loss. */
const MOST_COURSES_UDP = 1;
/** The probes of a round are spread over this part of the interval, at most so far apart. */
const SPREAD = { share: 0.5, mostMs: 20 } as const;

interface Turn {
  round: number;
  course: Course;
  probes: Map<number, Probed | null>;
}

/** Round after round, each begun when it is due whatever became of the one before (open loop). */
export async function* measureRounds(
  courses: Course[],
  { prober, family, heed }: { prober: Prober; family: 4 | 6; heed: (probed: Probed) => void },
  options: RoundOptions,
  io: Io,
  signal: AbortSignal,
): AsyncGenerator<RoundNews> {
  const startMs = io.clock.monoMs();
  const schedule = new Schedule(courses, prober.transport.method === 'udp' ? MOST_COURSES_UDP : MOST_COURSES, options);
  const turns: Turn[] = [];
  const byId = new Map<number, Turn>();
  let told = startMs;
  let begun = 0;
  let records: TraceRecord[] = [];
  for (;;) {
    const nowMs = io.clock.monoMs();
    if (begun < options.count && nowMs >= startMs + begun * options.intervalMs) {
      turns.push(...schedule.begin(begun, startMs + begun * options.intervalMs));
      begun++;
    }
    for (const { turn, ttl } of schedule.due(nowMs, prober)) {
      turn.probes.set(ttl, null);
      const id = prober.send(turn.course.flow, ttl);
      if (id === null) turn.probes.set(ttl, unsent(turn.course.flow, ttl, nowMs));
      else byId.set(id, turn);
    }
    for (const probed of prober.poll()) {
      heed(probed);
      const turn = byId.get(probed.id);
      if (turn === undefined || probed.late) continue;
      byId.delete(probed.id);
      turn.probes.set(probed.ttl, probed);
      schedule.learn(turn.course, probed);
    }
    while (turns[0] !== undefined && isOver(turns[0], schedule)) records.push(...recordsOf(turns.shift()!, family));
    const over = signal.aborted || (begun >= options.count && turns.length === 0);
    if (over || nowMs - told >= UPDATE_MS) {
      told = nowMs;
      yield { round: turns[0]?.round ?? begun, records };
      records = [];
    }
    if (over) return;
    await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}

/** Which probe is due when, and how far each path goes by now. */
class Schedule {
  readonly #courses: Course[];
  readonly #perRound: number;
  readonly #options: RoundOptions;
  #queue: { turn: Turn; ttl: number; dueMs: number }[] = [];

  constructor(courses: Course[], perRound: number, options: RoundOptions) {
    this.#courses = courses;
    this.#perRound = perRound;
    this.#options = options;
  }

  begin(round: number, startMs: number): Turn[] {
    const { firstTtl, intervalMs } = this.#options;
    const count = Math.min(this.#perRound, this.#courses.length);
    const turns = Array.from({ length: count }, (_, i): Turn => {
      const course = this.#courses[(round * count + i) % this.#courses.length]!;
      return { round, course, probes: new Map() };
    });
    const probes = turns.flatMap((turn) => {
      const length = Math.max(0, turn.course.lastTtl - firstTtl + 1);
      return Array.from({ length }, (_, i) => ({ turn, ttl: firstTtl + i }));
    });
    const gapMs = Math.min(SPREAD.mostMs, (SPREAD.share * intervalMs) / Math.max(1, probes.length));
    probes.forEach((probe, i) => this.#queue.push({ ...probe, dueMs: startMs + i * gapMs }));
    return turns;
  }

  /** Takes what is due and may be sent. */
  due(nowMs: number, prober: Prober): { turn: Turn; ttl: number }[] {
    const now: { turn: Turn; ttl: number }[] = [];
    const busy = new Set<number>();
    this.#queue = this.#queue.filter((probe) => {
      const { flow } = probe.turn.course;
      if (probe.dueMs > nowMs || busy.has(flow) || !prober.transport.ready(flow)) return true;
      if (prober.transport.method === 'tcp-connect') busy.add(flow);
      now.push(probe);
      return false;
    });
    return now;
  }

  isQueued(turn: Turn): boolean {
    return this.#queue.some((probe) => probe.turn === turn);
  }

  /** Paths grow and shrink: one hop more next time where the last was no end, not beyond where the target answered. */
  learn(course: Course, { ttl, reply }: Probed): void {
    if (reply === null) return;
    if (reply.kind !== 'exceeded') course.lastTtl = Math.min(course.lastTtl, ttl);
    else if (ttl === course.lastTtl) course.lastTtl = Math.min(this.#options.maxTtl, ttl + 1);
  }
}

function unsent(flow: number, ttl: number, sentMs: number): Probed {
  return { id: -1, flow, ttl, sentMs, reply: null, rttMs: null, late: false };
}

function isOver(turn: Turn, schedule: Schedule): boolean {
  return !schedule.isQueued(turn) && [...turn.probes.values()].every((probed) => probed !== null);
}

/** By TTL, up to the first that says that the path is over. */
function recordsOf({ probes }: Turn, family: 4 | 6): TraceRecord[] {
  const rising = [...probes.values()].filter((one) => one !== null).sort((a, b) => a.ttl - b.ttl);
  const end = rising.findIndex(({ reply }) => reply !== null && reply.kind !== 'exceeded');
  const kept = end < 0 ? rising : rising.slice(0, end + 1);
  return kept.map(({ flow, ttl, sentMs, reply, rttMs }) => ({
    flow,
    ttl,
    atMs: sentMs,
    answer: reply === null ? null : answerOf(reply, rttMs, family),
  }));
}

function answerOf(reply: TraceReply, rttMs: number | null, family: 4 | 6): TraceAnswer {
  const end = { exceeded: null, target: 'target', refused: 'target', unreachable: 'unreachable' } as const;
  return { address: reply.from, rttMs, end: end[reply.kind], ...detailsOf(reply, family) };
}

/** What an answer says beside who sent it, as the model has it. */
export function detailsOf(reply: TraceReply, family: 4 | 6): Omit<TraceAnswer, 'address' | 'rttMs' | 'end'> {
  const { icmp, replyTtl, quotedTtl, rewritten, dscp, mpls, interfaces } = reply;
  return {
    icmp: icmp === null ? null : { ...icmp, message: describeIcmp(family, icmp.type, icmp.code) },
    replyTtl,
    quotedTtl,
    natRewrite: rewritten,
    dscp,
    mpls,
    interfaces: interfaces.map((one) => (one.name === undefined ? one : { ...one, name: printable(one.name, 64) })),
  };
}
