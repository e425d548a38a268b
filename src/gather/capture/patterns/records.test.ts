import { describe, expect, test } from 'vitest';
import type { FlowRecord } from '../../../model/capture/flow-record.ts';
import { PatternBook, type FlowPattern } from './book.ts';
import { sitePrefixes } from './direction.ts';
import { RecordPatterns } from './records.ts';

const exporter: FlowRecord['exporter'] = { address: '10.0.0.254', port: 9995, format: 'ipfix', domain: 1, agent: null };
const hourMs = 3_600_000;

function record(from: string, to: string, over: Partial<FlowRecord> = {}): FlowRecord {
  const end = (text: string) => ({ address: text.split(' ')[0]!, port: Number(text.split(' ')[1]) });
  return {
    startMs: 10 * hourMs,
    endMs: 10 * hourMs + 60_000,
    source: end(from),
    destination: end(to),
    protocol: 6,
    octets: 1e6,
    packets: 1000,
    octetsRange: [1e6, 1e6],
    packetsRange: [1000, 1000],
    reverse: null,
    tcpFlags: null,
    tos: null,
    icmp: null,
    direction: null,
    input: null,
    output: null,
    vlan: null,
    sampling: { everyPackets: 1, saidBy: 'record' },
    exporter,
    ...over,
  };
}

function patternsOf(records: readonly FlowRecord[], mostOpen?: number) {
  const found: FlowPattern[] = [];
  const book = new PatternBook<string>({
    prefixes: sitePrefixes(null),
    startEpochMs: 0,
    onFlow: (_, one) => found.push(one),
  });
  const flows = new RecordPatterns(book, mostOpen);
  for (const one of records) flows.add(one);
  flows.finish();
  return { found, flows, report: book.finish() };
}

describe('RecordPatterns', () => {
  test('two directions in pieces are one flow, from who has the higher port', () => {
    const { report, found } = patternsOf([
      record('10.0.0.9 5432', '10.0.0.1 50000', { octets: 3e8 }),
      record('10.0.0.1 50000', '10.0.0.9 5432', { octets: 1e6 }),
      record('10.0.0.9 5432', '10.0.0.1 50000', {
        octets: 1e8,
        startMs: 10 * hourMs + 60_000,
        endMs: 10 * hourMs + 120_000,
      }),
    ]);
    expect(found.map((one) => one.class)).toEqual(['replication']);
    expect(report.matrix.cells).toMatchObject([{ flows: 1, forthBytes: 1e6, backBytes: 4e8, direction: 'east-west' }]);
    expect(report.matrix.cells[0]!.hours[10]).toBeCloseTo(4.01e8);
    expect(report.how.join()).toMatch(/1 flows are records with totals only/);
  });

  test('a record that tells both directions counts both', () => {
    const { report } = patternsOf([
      record('10.0.0.1 50000', '198.51.100.1 443', { octets: 700, reverse: { octets: 9000, packets: 9 } }),
    ]);
    expect(report.matrix.cells).toMatchObject([
      { class: 'web', direction: 'north-south', to: 'outside', forthBytes: 700, backBytes: 9000 },
    ]);
  });

  test('what two routers saw, or one on both sides, counts once', () => {
    const { report, flows } = patternsOf([
      record('10.0.0.1 50000', '10.0.0.2 443', { direction: 'in' }),
      record('10.0.0.1 50000', '10.0.0.2 443', { direction: 'out' }),
      record('10.0.0.1 50000', '10.0.0.2 443', { exporter: { ...exporter, domain: 2 } }),
    ]);
    expect(flows.again).toBe(2);
    expect(report.matrix.cells).toMatchObject([{ flows: 1, forthBytes: 1e6, backBytes: 0 }]);
  });

  test('the same ports an hour later are another flow', () => {
    const { report } = patternsOf([
      record('10.0.0.1 50000', '10.0.0.2 443'),
      record('10.0.0.1 50000', '10.0.0.2 443', { startMs: 12 * hourMs, endMs: 12 * hourMs }),
    ]);
    expect(report.matrix.cells[0]!.flows).toBe(2);
  });

  test('a record without addresses is counted, and nothing else', () => {
    const { report, flows } = patternsOf([record('x 1', '10.0.0.2 2')]);
    expect(flows.unread).toBe(1);
    expect(report.matrix.cells).toEqual([]);
  });

  test('more conversations than are kept open lose none', () => {
    const many = 2000;
    const records = Array.from({ length: many }, (_, i) =>
      record(`10.1.${(i >> 8) & 255}.${i & 255} ${50_000 + (i >> 16)}`, '10.0.0.2 443'),
    );
    const { report } = patternsOf(records, 100);
    expect(report.matrix.cells.reduce((sum, cell) => sum + cell.flows, 0)).toBe(many);
  });
});
