import { describe, expect, test } from 'vitest';
import { assessSample } from '../../test/fixtures/assess-sample.ts';
import { type InferReport, inferReport } from '../model/infer-report.ts';
import { cells, palette } from './ansi.ts';
import { cadenceStrip, gapHeight } from './cadence-text.ts';
import { requestsOf } from './facts.ts';
import { renderInferText, sentence } from './infer-text.ts';
import { spansOf } from './waterfall-text.ts';

function sample(endpoint = 'branch-voice'): InferReport {
  const assess = assessSample();
  const requests = requestsOf(assess, endpoint);
  const estimate = (value: number) => ({ value, interval: [value * 0.9, value * 1.1] as [number, number] });
  return {
    schema: 'inferpath/infer@1',
    version: '0.1.0',
    startedAt: assess.startedAt,
    durationMs: 12_300,
    endpoint,
    url: 'https://voice.branch.example/v1/messages',
    class: 'voice',
    interrupted: false,
    requests,
    summary: {
      requests: requests.length,
      answered: requests.filter((r) => r.outcome.kind === 'answered').length,
      rows: [
        { metric: 'time to first token', unit: 'ms', n: 70, p50: estimate(168), p90: estimate(232), p99: null },
        {
          metric: 'network round trip',
          unit: 'ms',
          n: 72,
          p50: estimate(18.3),
          p90: estimate(20.1),
          p99: estimate(23.1),
        },
        {
          metric: 'output tokens per second',
          unit: 'tokens/s',
          n: 70,
          p50: estimate(33),
          p90: estimate(36),
          p99: null,
        },
      ],
      evidence: { 'server-reported': 0, kernel: 70, handshake: 0, none: 2 },
      stalls: { gaps: 3290, network: 77, server: 0, client: 0, undetermined: 3 },
      client: {
        scheduleLagP99Ms: 0.4,
        eventLoopLagMaxMs: 3.1,
        processingMaxMs: 0.7,
        cpuShare: 0.12,
        bottleneck: false,
        why: '',
      },
    },
    notes: ['HTTP_PROXY is set in the environment and was not used; --proxy would use it'],
  };
}

test('the sample is a valid report', () => {
  expect(inferReport.safeParse(sample()).error).toBeUndefined();
});

describe('renderInferText()', () => {
  test('shows waterfall, cadence, split and table', () => {
    const text = renderInferText(sample(), { columns: 100, colors: false });
    expect(text).toMatch(/^wait +█+.* ms$/m);
    expect(text).toMatch(/^stream +█+ .* ms$/m);
    expect(text).toMatch(/47 token gaps, █ = \d+ ms/);
    expect(text).toMatch(
      /to first token 169 ms: network \d+ to \d+ ms, server \d+ to \d+ ms, client 0\.\d ms, undetermined/,
    );
    expect(text).toContain('kernel: kernel stamps bound the network by the round trips of this very connection');
    expect(text).toMatch(/^time to first token ms +168 \[151, 185\] +232 \[209, 255\] +needs more +70$/m);
    expect(text).toContain('80 of 3290 token gaps stalled: network 77, undetermined 3');
    expect(text).toContain('2 requests: no answer after 10000 ms in phase wait');
  });

  test('puts each interval below its value where the two do not fit beside each other', () => {
    const lines = renderInferText(sample(), { columns: 80, colors: false }).split('\n');
    const at = lines.findIndex((line) => line.startsWith('network round trip'));
    expect(lines.slice(at, at + 2)).toEqual([
      'network round trip ms             18.3          20.1          23.1  72',
      '                          [16.5, 20.1]  [18.1, 22.1]  [20.8, 25.4]',
    ]);
  });

  test('no line is wider than the terminal, for all widths from 60 to 160, with and without colour', () => {
    const report = sample();
    const tooWide: string[] = [];
    for (let columns = 60; columns <= 160; columns++) {
      for (const colors of [false, true]) {
        for (const line of renderInferText(report, { columns, colors }).split('\n'))
          if (cells(line) > columns) tooWide.push(line);
      }
    }
    expect(tooWide).toEqual([]);
  });

  test('prints nothing of a peer raw', () => {
    const base = sample();
    const evil = '\u001b]0;owned\u0007\u001b[2J';
    const report = {
      ...base,
      url: evil,
      notes: [evil],
      requests: base.requests.map((r) => ({
        ...r,
        id: evil,
        address: evil,
        httpVersion: evil,
        outcome: { kind: 'brokenStream' as const, message: evil },
        stalls: r.stalls.map((s) => ({ ...s, evidence: [evil] })),
      })),
      summary: {
        ...base.summary,
        rows: base.summary.rows.map((r) => ({ ...r, metric: evil })),
        client: { ...base.summary.client, bottleneck: true, why: evil },
      },
    };
    const text = renderInferText(report, { columns: 90, colors: false });
    // oxlint-disable-next-line no-control-regex -- control characters are what must not appear
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test('a run without any request still says so', () => {
    const none = { ...sample(), requests: [], interrupted: true };
    const text = renderInferText(none, { columns: 80, colors: false });
    expect(text).toContain('INTERRUPTED');
    expect(text).toContain('no request was sent');
  });
});

test('cadenceStrip() has one mark per gap and the letter of the cause for each stall', () => {
  const request = sample().requests.find((r) => r.stalls.length > 0);
  if (!request) throw new Error('The sample has no stall');
  const [strip = ''] = cadenceStrip(request, 200, palette(false));
  expect(Array.from(strip)).toHaveLength(request.gaps.length);
  const letters = request.stalls.map((s) => ({ network: 'N', server: 'S', client: 'C', undetermined: '?' })[s.cause]);
  expect(Array.from(strip).filter((c) => 'NSC?'.includes(c))).toEqual(letters);
});

test('gapHeight() uses all eight heights', () => {
  expect([0, 13, 26, 38, 51, 63, 76, 99, 500].map((ms) => gapHeight(ms, 100)).join('')).toBe('▁▂▃▄▅▆▇██');
  expect(gapHeight(5, 0)).toBe('▁');
});

test('spansOf() follows the request in time', () => {
  const [fresh] = sample().requests;
  if (!fresh) throw new Error('The sample has no request');
  const spans = spansOf(fresh.phases);
  expect(spans.map((s) => s.name)).toEqual(['dns', 'tcp', 'tls', 'upload', 'wait', 'first token', 'stream']);
  expect(spans.at(-1)?.toMs).toBe(fresh.phases.totalMs);
  for (const s of spans) expect(s.toMs).toBeGreaterThanOrEqual(s.fromMs);
});

test('sentence() writes equal bounds once', () => {
  const split = {
    networkMs: [58, 58] as [number, number],
    serverMs: [211, 213] as [number, number],
    clientMs: 0.3,
    undeterminedMs: 0,
    evidence: 'kernel' as const,
    why: '',
  };
  expect(sentence('to first token', split, null)).toBe(
    'to first token: network 58 ms, server 211 to 213 ms, client 0.3 ms, undetermined 0 ms',
  );
});
