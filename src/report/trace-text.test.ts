import { describe, expect, test } from 'vitest';
import { diamond, hostileName, sampleTrace } from '../../test/fixtures/trace-sample.ts';
import { plainPath } from '../judge/path/simulated.case.ts';
import { cells } from './ansi.ts';
import { renderTraceText } from './trace-text.ts';

const plain = { columns: 80, colors: false, names: true, asn: true };

describe('renderTraceText()', () => {
  test('shows every hop, what each is up to, and the verdict at the end', () => {
    const text = renderTraceText(sampleTrace(), plain);
    expect(text).toMatchInlineSnapshot(`
      "api.example.com:443 (10.0.7.1) · TCP to port 443 · 100 rounds in 25 s · TCP SYN,
        kernel stamps

      Path 4df797b13bc1
      hop  address                           unansw.  sent    min median    p95 jitter
        1  10.0.1.1                             0 %    100   2.00   2.10   2.19   0.20
        2  10.0.2.1                            74 %~   100   4.01   4.09   4.17   0.18
            limits its answers to about 0.99 per second: no loss
        3  10.0.3.1                             0 %    100   6.00   6.11   6.19   0.20
            way back about 9 hops, way there 3
            MPLS label 16004, class 0, TTL 1, bottom of stack
            came in by a"]; [2J<b>#9829;\`x\`|%%{init}\\N&quot;, index 3, MTU 1500
        4  *                                  silent   100
        5  10.0.5.1                             0 %    100   10.0   10.1   10.2   0.19
            addresses or ports were translated in front of this hop (NAT)
        6  10.0.6.1                            15 %!   100   52.0   52.1   52.2   0.20
            delay is added here: +42 ms [42, 42.1] since hop 5
            real loss [9.31, 23.3]: all later hops lose as much
        7  10.0.7.1                            24 %!   100   54.0   54.1   54.2   0.19
            real loss [16.7, 33.2]: all later hops lose as much

      Verdict
        the target is 7 hops away
        loss is real: 24 % [16.7, 33.2]: 24 of 100 round trips to the target were
        lost, between hop 5 (10.0.5.1) and hop 6 (10.0.6.1)
        delay is added between hop 5 (10.0.5.1) and hop 6 (10.0.6.1): 42 ms [42,
        42.1], 78 % of the round trip; there or on the way back, one end cannot tell
        hop 2 answers less than asked and forwards the rest: that is no loss
        hop 4 is silent
        something translates addresses or ports in front of hop 5 (10.0.5.1)
        the way back from hop 3 is about 9 hops long, by the TTL of its answers: not
        the way there
      "
    `);
  });

  test.each([40, 60, 80, 100, 120, 200])('keeps to %d columns', (columns) => {
    const before = plainPath(7).map((h) => ({ ...h, addresses: h.addresses.map((a) => a.replace('10.', '172.')) }));
    const report = sampleTrace({ before, graph: diamond() });
    for (const colors of [false, true])
      for (const line of renderTraceText(report, { ...plain, columns, colors }).split('\n'))
        expect(cells(line), line).toBeLessThanOrEqual(columns);
  });

  test('names from outside cannot reach the terminal as anything but text', () => {
    const report = sampleTrace({ graph: diamond() });
    report.paths[0]!.hops[0]!.addresses[0]!.name = hostileName;
    const text = renderTraceText(report, { ...plain, columns: 200 });
    // oxlint-disable-next-line no-control-regex -- exactly those
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(text).toContain('<b>#9829;`x`');
  });

  test('shows names and systems only when they are wanted', () => {
    const report = sampleTrace({ graph: diamond() });
    expect(renderTraceText(report, plain)).toMatch(/gw\.example \(10\.0\.1\.1\) AS64512 Example/);
    expect(renderTraceText(report, { ...plain, names: false, asn: false })).not.toMatch(/gw\.example|AS64512/);
  });

  test('a name that does not fit stands below its address, which is never cut', () => {
    const report = sampleTrace({ hops: plainPath(2) });
    const [first] = report.paths[0]!.hops[0]!.addresses;
    Object.assign(first!, {
      name: `${'very-long-'.repeat(5)}name.example`,
      asn: { number: 64_512, name: 'Example', prefix: '' },
    });
    const text = renderTraceText(report, plain);
    expect(text).toMatch(/\n {2}1 {2}10\.0\.1\.1 .*2\.09.*\n {7}very-long-\S*…\n {7}AS64512 Example\n/);
  });

  test('several addresses of a hop stand below each other with their shares', () => {
    const hops = plainPath(3).map((h, k) => (k === 1 ? { ...h, addresses: ['10.1.0.1', '10.1.0.2'] } : h));
    const text = renderTraceText(sampleTrace({ hops }), plain);
    expect(text).toMatch(/\n {2}2 {2}10\.1\.0\.\d \d+ %.*\n {5}10\.1\.0\.\d \d+ %\n/);
  });

  test('a change of the path gives both paths, and the verdict says when', () => {
    const before = plainPath(4);
    const hops = plainPath(4).map((h, k) => (k === 1 ? { ...h, addresses: ['10.99.0.1'] } : h));
    const text = renderTraceText(sampleTrace({ hops, before }), plain);
    expect(text.match(/Path [0-9a-f]{12} · 50 % of the rounds \(100\)/g)).toHaveLength(2);
    expect(text).toContain('no longer taken');
    expect(text.replaceAll(/\s+/g, ' ')).toContain('the path changed once, last at 2026-01-02T03:04:30.000Z, at hop 2');
  });
});
