/**
 * Which way packets were lost, overtaken or doubled, from the numbers of a STAMP reflector. Pure: no sockets, no clock.
 */

/** One answer. `sequence` is the sender's number in the packet, `reflected` the reflector's. */
export interface Answered {
  sequence: number;
  reflected: number;
  /** T2, any scale. */
  receivedMs: number;
  /** T4, any scale. */
  arrivedMs: number;
}

export type Range = [low: number, high: number];
export type Counting = 'stateful' | 'stateless' | 'unknown' | 'odd';

export interface LossSplit {
  counting: Counting;
  /** Lost on the way to the reflector, and on the way back; null when its numbers do not tell. */
  up: Range | null;
  down: Range | null;
  /** Packets that the reflector answered: what was offered on the way back. */
  reflected: Range;
}

/**
 * Number in the packet of the nth packet sent: 0, 2, 3, 4 … That 1 is never sent looks to a reflector like one loss on the way to
 * it: from then on one that counts per session is one behind, and one that repeats our numbers is not, so that the two can be
 * told apart even when all loss is on the way back.
 */
export function sequenceOf(n: number): number {
  return n === 0 ? 0 : n + 1;
}

/** The inverse of sequenceOf(); null for a number that was never sent. */
export function packetOf(sequence: number): number | null {
  if (sequence === 1) return null;
  return sequence === 0 ? 0 : sequence - 1;
}

/**
 * A stateful reflector numbers its replies from 0, so the highest number seen says how many packets had reached it by then. What
 * was sent after that packet and has no answer may have been lost either way: hence ranges.
 * @param sent packets sent
 * @param answers every answer, duplicates too
 */
export function splitLoss(sent: number, answers: readonly Answered[]): LossSplit {
  const unique = [...new Map(answers.map((answer) => [answerKey(answer), answer])).values()];
  const answered = new Set(unique.map(({ sequence }) => sequence)).size;
  const counting = countingOf(sent, unique);
  if (counting !== 'stateful') return { counting, up: null, down: null, reflected: [answered, sent] };
  const last = unique.reduce((a, b) => (b.reflected > a.reflected ? b : a));
  const doubled = unique.length - answered;
  const numbers = new Set(unique.map(({ sequence }) => sequence));
  let after = 0;
  for (let n = packetOf(last.sequence)! + 1; n < sent; n++) if (!numbers.has(sequenceOf(n))) after++;
  const reached = last.reflected + 1 - doubled;
  // A duplicate of which no answer came back counts as one packet more that reached it: hence the clamps.
  const up: Range = [clamp(sent - reached - after, 0, sent - answered), clamp(sent - reached, 0, sent - answered)];
  return {
    counting,
    up,
    down: [sent - answered - up[1], sent - answered - up[0]],
    reflected: [sent - up[1], sent - up[0]],
  };
}

/** Stateless and stateful cannot be mistaken for each other once a packet behind the gap was answered. */
function countingOf(sent: number, answers: readonly Answered[]): Counting {
  const telling = answers.filter(({ sequence }) => sequence > 1);
  if (telling.length === 0) return 'unknown';
  if (telling.every(({ sequence, reflected }) => sequence === reflected)) return 'stateless';
  const inOrder = [...answers].sort((a, b) => a.receivedMs - b.receivedMs || a.reflected - b.reflected);
  const rises = inOrder.every(({ reflected }, i) => i === 0 || reflected > inOrder[i - 1]!.reflected);
  // Without its own count of what was doubled, it cannot have answered more than twice what was sent.
  return rises && inOrder.at(-1)!.reflected < 2 * sent ? 'stateful' : 'odd';
}

export interface Disorder {
  duplicates: { up: number; down: number };
  reordered: { up: number; down: number };
}

/**
 * Overtaken and doubled packets of each direction. The reflector's order is that of T2: it answers in the order in which packets
 * come. Two answers with the same T2 and number are one answer that was doubled on the way back; the same packet with
 * another T2 was doubled on the way there.
 */
export function disorder(answers: readonly Answered[]): Disorder {
  const arrived = [...answers].sort((a, b) => a.arrivedMs - b.arrivedMs);
  const unique = [...new Map(arrived.toReversed().map((answer) => [answerKey(answer), answer])).values()];
  const byReflector = unique.sort((a, b) => a.receivedMs - b.receivedMs || a.reflected - b.reflected);
  const rank = new Map(byReflector.map((answer, i) => [answerKey(answer), i]));
  const first = new Map(byReflector.toReversed().map((answer) => [answer.sequence, answer]));
  const reached = byReflector.filter((answer) => first.get(answer.sequence) === answer);
  const back = [...new Map(arrived.toReversed().map((answer) => [answerKey(answer), answer])).values()]
    .sort((a, b) => a.arrivedMs - b.arrivedMs)
    .map((answer) => rank.get(answerKey(answer))!);
  return {
    duplicates: { up: unique.length - first.size, down: answers.length - unique.length },
    reordered: { up: overtaken(reached.map(({ sequence }) => sequence)), down: overtaken(back) },
  };
}

/** RFC 4737: a packet is reordered when one with a higher number came before it. */
function overtaken(numbers: readonly number[]): number {
  let [highest, count] = [-1, 0];
  for (const number of numbers) {
    if (number < highest) count++;
    else highest = number;
  }
  return count;
}

function answerKey({ sequence, reflected, receivedMs }: Answered): string {
  return `${sequence} ${reflected} ${receivedMs}`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
