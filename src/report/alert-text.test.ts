import { expect, test } from 'vitest';
import { type Alert } from '../model/alert.ts';
import { renderAlertList, renderAlertText } from './alert-text.ts';
import { cells } from './ansi.ts';

const atMs = Date.UTC(2026, 0, 2, 3);
const some = (change: Partial<Alert> = {}): Alert => ({
  id: 'a1b2',
  incident: 'a1b2-1767322800',
  rule: 'endpoint-down',
  subject: 'chat-eu',
  severity: 'page',
  state: 'firing',
  sinceMs: atMs,
  firedAtMs: atMs,
  toldAtMs: atMs + 5000,
  endedAtMs: null,
  changedAtMs: atMs,
  agents: ['berlin', 'paris'],
  endpoints: ['chat-eu'],
  suppressedBy: null,
  flapping: true,
  where: 'between 10.0.0.1 and the endpoint',
  blame: 'network',
  page: 'alerts.md#endpoint-down',
  finding: {
    id: 'endpoint-down',
    verdict: 'fail',
    severity: 'critical',
    pillar: 'reach',
    subject: 'chat-eu',
    claim: 'tcp fails from 2 of 3 agents',
    details: ['failures in a row: berlin 3, paris 4'],
    evidence: [{ metric: 'agents that see it fail', value: 2, unit: 'agents', n: 3, how: 'tcp probes' }],
    confidence: 'high',
    coverage: 1,
    remedy: { text: 'look at the hop that is named' },
  },
  memory: {
    evaluatedAtMs: atMs,
    badForMs: 0,
    goodForMs: 0,
    goodSinceMs: null,
    keepMs: 0,
    history: '1',
    historyAtMs: atMs,
    members: [],
  },
  ...change,
});
const plain = { columns: 80, colors: false };

test('show tells what, since when, where, whose side, evidence, remedy, who was told, and where to look', () => {
  expect(renderAlertText(some(), 'http://127.0.0.1:7100/alerts/a1b2', plain)).toBe(
    `chat-eu  firing  page
tcp fails from 2 of 3 agents

since         2026-01-02 03:00:00 UTC
told          2026-01-02 03:00:05 UTC
where         between 10.0.0.1 and the endpoint
whose side    the network
seen by       berlin, paris
endpoints     chat-eu
              failures in a row: berlin 3, paris 4
              it comes and goes: flapping
evidence      agents that see it fail 2 agents, n = 3, tcp probes
confidence    high
what to do    look at the hop that is named
rule          endpoint-down (docs/alerts.md#endpoint-down)
incident      a1b2-1767322800
page          http://127.0.0.1:7100/alerts/a1b2
`,
  );
});

test('list puts what fires first, and says what explains what is not told', () => {
  const alerts = [
    some({ id: 'c3', subject: 'over', state: 'resolved' }),
    some({ id: 'b2', subject: 'rag', suppressedBy: 'a1b2' }),
    some({ id: 'd4', subject: 'lost', state: 'unknown' }),
  ];
  const text = renderAlertList(alerts, plain);
  expect(text.split('\n').filter((line) => /^\S/.test(line))).toEqual([
    'rag  firing  page',
    'lost  unknown  page',
    'over  resolved  page',
  ]);
  expect(text).toContain('b2 endpoint-down, since 2026-01-02 03:00:00 UTC, explained by a1b2');
});

test('text of peers stays text, and nothing is wider than the terminal', () => {
  const alert = some({ where: `hop \u001b[31m${'x'.repeat(400)}`, subject: 'a\nb' });
  for (const text of [renderAlertText(alert, 'http://h', plain), renderAlertList([alert], plain)]) {
    expect(text).not.toContain('\u001b');
    for (const line of text.split('\n')) expect(cells(line)).toBeLessThanOrEqual(80);
  }
});
