import type { Connection, Endpoint } from '../../gather/connections/connection.ts';
import type { Flow, Listener, Snapshot } from '../../model/secure/snapshot.ts';
import { isLoopback } from '../../stats/address.ts';

export interface Observing {
  /** One more look at a list of sockets. */
  sampled(): void;
  connection(one: Connection): void;
  source(one: Snapshot['sources'][number]): void;
  snapshot(): Snapshot;
}

/** Different flows, and listening sockets, that are kept apart; what comes beyond is counted. */
const maxKept = 200_000;

/**
 * Turns connections into who calls whom on which port. Ports of the opener differ from call to call and are left out. Bounded by the
 * number of different flows, however long it looks.
 */
export function startObserving(intervalS: number | null = null, most = maxKept): Observing {
  const flows = new Map<string, Flow>();
  const listeners = new Map<string, Listener>();
  const sources: Snapshot['sources'] = [];
  let [samples, undirected, loopback, leftOut] = [0, 0, 0, 0];
  let [fromMs, toMs]: [number | null, number | null] = [null, null];

  const listening = ({ protocol, local, state, process }: Connection) => {
    const key = `${protocol} ${local.address} ${local.port}`;
    const known = listeners.get(key);
    if (known) known.seen++;
    else if (listeners.size >= most) leftOut++;
    else {
      const { address, port } = local;
      listeners.set(key, {
        protocol,
        address,
        port,
        certain: state === 'listen',
        seen: 1,
        ...(process === undefined ? {} : { process }),
      });
    }
  };
  const flowing = (one: Connection, from: Endpoint, to: Endpoint) => {
    const direction = one.direction as Flow['direction'];
    const key = `${one.protocol} ${from.address} ${to.address} ${to.port} ${direction}`;
    let known = flows.get(key);
    if (!known) {
      if (flows.size >= most) {
        leftOut++;
        return;
      }
      known = newFlow(one, from, to, direction);
      flows.set(key, known);
    }
    add(known, one);
  };

  return {
    sampled: () => void samples++,
    source: (one) => void sources.push(one),
    connection: (one) => {
      const { atMs, direction, local, remote } = one;
      if (atMs !== null) [fromMs, toMs] = [Math.min(fromMs ?? atMs, atMs), Math.max(toMs ?? atMs, atMs)];
      if (direction === 'listen') listening(one);
      else if (!remote || direction === 'unknown') undirected++;
      else if (isLoopback(remote.address) || local.address === remote.address) loopback++;
      else if (direction === 'in') flowing(one, remote, local);
      else flowing(one, local, remote);
    },
    snapshot: () => ({
      fromMs,
      toMs,
      samples,
      intervalS,
      sources,
      listeners: [...listeners.values()].sort(
        byText((l) => `${l.protocol} ${String(l.port).padStart(5, '0')} ${l.address}`),
      ),
      flows: [...flows.values()].sort(
        byText((f) => `${f.to} ${f.protocol} ${String(f.port).padStart(5, '0')} ${f.from}`),
      ),
      undirected,
      loopback,
      leftOut,
    }),
  };
}

function newFlow(one: Connection, from: Endpoint, to: Endpoint, direction: Flow['direction']): Flow {
  const { protocol, how, process, translatedFrom } = one;
  return {
    from: from.address,
    to: to.address,
    protocol,
    port: to.port,
    direction,
    seen: 0,
    denied: 0,
    firstMs: null,
    lastMs: null,
    ...(process === undefined ? {} : { process }),
    ...(translatedFrom ? { translatedFrom } : {}),
    how: how.slice(0, 400),
  };
}

function add(flow: Flow, { atMs, state, bytesOut, bytesIn, direction }: Connection): void {
  flow.seen++;
  if (state === 'denied') flow.denied++;
  if (atMs !== null) {
    flow.firstMs = Math.min(flow.firstMs ?? atMs, atMs);
    flow.lastMs = Math.max(flow.lastMs ?? atMs, atMs);
  }
  // A connection's octets count from its near end; a flow's from its opener.
  const [out, back] = direction === 'in' ? [bytesIn, bytesOut] : [bytesOut, bytesIn];
  if (out !== undefined) flow.bytesOut = (flow.bytesOut ?? 0) + out;
  if (back !== undefined) flow.bytesIn = (flow.bytesIn ?? 0) + back;
}

const byText =
  <T>(text: (one: T) => string) =>
  (a: T, b: T) =>
    text(a) < text(b) ? -1 : 1;

/** Two snapshots as one: what was seen in either, counted together. */
export function mergeSnapshots(a: Snapshot, b: Snapshot): Snapshot {
  const least = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : Math.min(x, y));
  const most = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : Math.max(x, y));
  const flows = new Map<string, Flow>();
  for (const flow of [...a.flows, ...b.flows]) {
    const key = `${flow.protocol} ${flow.from} ${flow.to} ${flow.port} ${flow.direction}`;
    const same = flows.get(key);
    if (!same) flows.set(key, flow);
    else {
      const merged: Flow = {
        ...same,
        seen: same.seen + flow.seen,
        denied: same.denied + flow.denied,
        firstMs: least(same.firstMs, flow.firstMs),
        lastMs: most(same.lastMs, flow.lastMs),
      };
      for (const side of ['bytesOut', 'bytesIn'] as const)
        if (flow[side] !== undefined) merged[side] = (same[side] ?? 0) + flow[side];
      flows.set(key, merged);
    }
  }
  const listeners = new Map<string, Listener>();
  for (const one of [...a.listeners, ...b.listeners]) {
    const key = `${one.protocol} ${one.address} ${one.port}`;
    listeners.set(key, { ...one, seen: one.seen + (listeners.get(key)?.seen ?? 0) });
  }
  return {
    fromMs: least(a.fromMs, b.fromMs),
    toMs: most(a.toMs, b.toMs),
    samples: a.samples + b.samples,
    intervalS: a.intervalS === b.intervalS ? a.intervalS : null,
    sources: [...a.sources, ...b.sources],
    listeners: [...listeners.values()],
    flows: [...flows.values()],
    undirected: a.undirected + b.undirected,
    loopback: a.loopback + b.loopback,
    leftOut: a.leftOut + b.leftOut,
  };
}
