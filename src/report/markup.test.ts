import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessSample } from '../../test/fixtures/assess-sample.ts';
import type { AssessReport } from '../model/assess.ts';
import { assessReport } from '../model/assess.ts';
import { renderHtml } from './html.ts';
import { esc } from './html/escape.ts';
import { prettyJson, renderJson } from './json.ts';
import { md, renderMarkdown } from './markdown.ts';

const sample = assessSample();

/** The sample with one text in every place that can come from outside. */
function hostile(text: string): AssessReport {
  return {
    ...sample,
    vantage: text,
    version: text,
    startedAt: text,
    notes: [text],
    endpoints: sample.endpoints.map((e) => ({
      ...e,
      name: text,
      url: text,
      workload: text,
      blameWhy: text,
      metrics: e.metrics.map((m) => ({ ...m, metric: text, unit: text, how: text })),
    })),
    findings: sample.findings.map((f) => ({
      ...f,
      subject: text,
      claim: text,
      details: [text],
      evidence: f.evidence.map((m) => ({ ...m, metric: text })),
      remedy: { text },
    })),
    observations: sample.observations.slice(0, 60).map((o) =>
      o.kind === 'inference'
        ? {
            ...o,
            to: text,
            request: {
              ...o.request,
              id: text,
              endpoint: text,
              outcome: { kind: 'rejected', status: 500, code: text, message: text },
              stalls: o.request.stalls.map((s) => ({ ...s, evidence: [text] })),
            },
          }
        : { ...o, to: text },
    ),
  };
}

describe('renderHtml()', () => {
  test('holds exactly its own two raw-text elements whatever peers say', () => {
    const count = (html: string, tag: RegExp) => html.match(tag)?.length ?? 0;
    const evil = fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onload='x",
      '</style><script>',
      '&lt;script&gt;',
      '<!--',
      ']]>',
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), evil, fc.string({ maxLength: 20 }), (a, b, c) => {
        const html = renderHtml(hostile(a + b + c));
        expect(count(html, /<script/gi)).toBe(1);
        expect(count(html, /<\/style/gi)).toBe(1);
        expect(html).not.toMatch(/<img|<!--|<[a-z]+[^>"]*\son[a-z]+=/i);
      }),
      { numRuns: 20 },
    );
  });

  test('carries a policy that allows nothing from outside, and no address to load from', () => {
    const html = renderHtml(sample);
    expect(html).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:;`,
    );
    expect(html).not.toMatch(/\s(src|href)="(?!#|data:,)/);
  });

  test('every link inside the page has its target, and ids are unique', () => {
    const html = renderHtml(sample);
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  test('renders a run that measured nothing', () => {
    const empty = {
      ...sample,
      observations: [],
      findings: [],
      notes: [],
      endpoints: sample.endpoints.map((e) => ({ ...e, metrics: [] })),
    };
    expect(renderHtml(empty)).toContain('No inference request was sent.');
    expect(renderHtml(empty)).not.toContain('NaN');
  });

  test('no coordinate is NaN or infinite', () => {
    expect(renderHtml(sample)).not.toMatch(/NaN|Infinity|undefined(?!:| \d|"|<|,|\)|-|\{)/);
  });
});

test('esc() leaves nothing that could open a tag or end an attribute', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(esc(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    }),
  );
});

describe('renderMarkdown()', () => {
  test('tells verdict, matrix, findings, numbers and method', () => {
    const text = renderMarkdown(sample);
    expect(text).toContain('# inferpath: NOT READY');
    expect(text).toContain('| eu-chat | chat | ❌ **FAIL** | ✅ pass | ✅ pass | ✅ pass | ✅ pass | the network |');
    expect(text).toContain('❔ unknown 60 %');
    expect(text).toMatch(
      /## Findings[\s\S]*## Where the milliseconds went[\s\S]*## Numbers[\s\S]*## How this was measured/,
    );
    expect(text).toContain('gains ≈ 26 ms');
  });

  test('every table row has as many cells as its header, also with hostile names', () => {
    for (const report of [sample, hostile('a | b `|` \\| c\n| d <b>')]) {
      let wanted = 0;
      const broken: string[] = [];
      for (const line of renderMarkdown(report).split('\n')) {
        const bars = line.replace(/\\\\/g, '').match(/(?<!\\)\|/g)?.length ?? 0;
        if (!line.startsWith('|')) wanted = 0;
        else if (wanted === 0) wanted = bars;
        else if (bars !== wanted) broken.push(line);
      }
      expect(broken).toEqual([]);
    }
  });

  test('md() lets no markup through', () => {
    expect(md('<b>*x*</b> | `y` [z](http://q) @all')).toBe(
      '\\<b\\>\\*x\\*\\</b\\> \\| \\`y\\` \\[z\\](http:\u200b//q) @\u200ball',
    );
  });
});

describe('renderJson()', () => {
  test('is the report, exactly', () => {
    const text = renderJson(sample);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(sample)));
    expect(assessReport.safeParse(JSON.parse(text)).success).toBe(true);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('prettyJson() keeps any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(prettyJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('prettyJson() writes number lists on one line', () => {
    expect(prettyJson({ gaps: [1, 2.5, null] })).toBe('{\n  "gaps": [1, 2.5, null]\n}\n');
  });
});
