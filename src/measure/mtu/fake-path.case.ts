import type { SizeEvents, SizeProbe } from '../../wire/size-probe.ts';

/** A path of routers, each with the MTU of the link behind it, for tests without a network. */
export interface FakePath {
  /** MTU of the links from here to the target, in order; the routers between them are r1, r2 and so on. */
  links: readonly number[];
  /** Routers that send no ICMP at all. */
  silent?: readonly string[];
  rttMs?: number;
  /** Called for every packet; true loses it. */
  loses?: (sizeBytes: number, hops: number | undefined) => boolean;
  /** A forged "too big" that comes at once for every packet above this size, with this MTU. */
  forged?: { above: number; mtuBytes: number };
  /** What send() throws, by size. */
  refuses?: (sizeBytes: number) => Error | null;
  /** Somebody refuses all packets instead of the target. */
  unreachable?: { by: string; message: string };
  nowMs: () => number;
}

export interface FakeProbe extends SizeProbe {
  sent: { sizeBytes: number; hops: number | undefined }[];
}

/** A SizeProbe over such a path: answers are handed out by drain() once their time has come. */
export function fakeProbe(path: FakePath): FakeProbe {
  const due: { atMs: number; tell: (events: SizeEvents) => void }[] = [];
  const sent: FakeProbe['sent'] = [];
  const { links, silent = [], rttMs = 20, loses, nowMs } = path;
  const answer = (sequence: number, sizeBytes: number, hops: number): ((events: SizeEvents) => void) | null => {
    for (const [i, mtuBytes] of links.entries()) {
      const router = `r${i}`;
      if (i > 0 && i === hops) return silent.includes(router) ? null : (e) => e.expired(sequence, router);
      if (sizeBytes <= mtuBytes) continue;
      return i === 0 || silent.includes(router) ? null : (e) => e.tooBig(sequence, router, mtuBytes);
    }
    const { unreachable } = path;
    if (unreachable) return (e) => e.unreachable(sequence, unreachable.by, unreachable.message);
    return (e) => e.arrived(sequence);
  };
  return {
    how: 'a fake path',
    kind: 'udp',
    headerBytes: 28,
    sent,
    send({ sequence, sizeBytes, hops }) {
      const error = path.refuses?.(sizeBytes);
      if (error) throw error;
      sent.push({ sizeBytes, hops });
      const { forged } = path;
      if (forged && sizeBytes > forged.above)
        due.push({ atMs: nowMs(), tell: (e) => e.tooBig(sequence, 'forger', forged.mtuBytes) });
      const tell = loses?.(sizeBytes, hops) ? null : answer(sequence, sizeBytes, hops ?? 64);
      if (tell) due.push({ atMs: nowMs() + rttMs, tell });
    },
    drain(events) {
      for (let i = 0; i < due.length;) {
        if (due[i]!.atMs > nowMs()) i++;
        else due.splice(i, 1)[0]!.tell(events);
      }
    },
    close: () => undefined,
  };
}
