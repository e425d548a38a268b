import { describe, expect, it } from 'vitest';
import { readConnections } from '../../gather/connections/read.ts';
import { snapshot } from '../../model/secure/snapshot.ts';
import { startObserving } from './observe.ts';

const ss = `tcp LISTEN 0 0 0.0.0.0:8000 0.0.0.0:*
udp UNCONN 0 0 10.0.0.1:40000 0.0.0.0:*
tcp ESTAB 0 0 10.0.0.1:8000 10.0.0.2:50001
tcp ESTAB 0 0 10.0.0.1:8000 10.0.0.2:50002
tcp ESTAB 0 0 10.0.0.1:50003 10.0.0.9:443
tcp ESTAB 0 0 127.0.0.1:8000 127.0.0.1:50004
tcp ESTAB 0 0 10.0.0.1:8000 10.0.0.1:50005
`;

function observe(texts: readonly string[], most?: number) {
  const observing = startObserving(5, most);
  texts.forEach((text, i) => {
    observing.sampled();
    for (const one of readConnections(text, { atMs: 1000 + i }).connections) observing.connection(one);
  });
  return observing.snapshot();
}

describe('startObserving()', () => {
  it('counts connections of one kind over samples, from the opener to the called port', () => {
    const seen = observe([ss, ss]);
    expect(snapshot.parse(seen)).toEqual(seen);
    expect(seen).toMatchObject({
      samples: 2,
      intervalS: 5,
      fromMs: 1000,
      toMs: 1001,
      loopback: 4,
      undirected: 0,
      leftOut: 0,
    });
    expect(seen.listeners).toMatchObject([
      { protocol: 'tcp', address: '0.0.0.0', port: 8000, certain: true, seen: 2 },
      { protocol: 'udp', address: '10.0.0.1', port: 40_000, certain: false, seen: 2 },
    ]);
    expect(seen.flows).toMatchObject([
      { from: '10.0.0.2', to: '10.0.0.1', port: 8000, direction: 'in', seen: 4, firstMs: 1000, lastMs: 1001 },
      { from: '10.0.0.1', to: '10.0.0.9', port: 443, direction: 'out', seen: 2 },
    ]);
  });

  it('counts octets from the opener on, and what was denied', () => {
    const log = `#Fields: date time action protocol src-ip dst-ip src-port dst-port path
2026-11-27 10:00:00 DROP TCP 10.0.0.9 10.0.0.1 50000 11434 RECEIVE
2026-11-27 10:00:01 ALLOW TCP 10.0.0.9 10.0.0.1 50000 11434 RECEIVE
`;
    const flows = `src,dst,src_port,dst_port,protocol,bytes\n10.0.0.9,10.0.0.1,50000,8000,tcp,10\n10.0.0.1,10.0.0.9,8000,50000,tcp,3000\n`;
    expect(observe([log, flows]).flows).toMatchObject([
      { port: 8000, seen: 2, denied: 0, bytesOut: 10, bytesIn: 3000 },
      { port: 11_434, seen: 2, denied: 1 },
    ]);
  });

  it('counts what it does not keep apart', () => {
    expect(observe([ss], 1)).toMatchObject({ leftOut: 2, flows: [{}], listeners: [{}] });
  });
});
