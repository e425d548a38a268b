import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outboxEntry } from '../../model/delivery.ts';
import { someAlert, someNetwork, transition } from './deliver.case.ts';
import { noticeOf } from './notice.ts';
import { deliveriesOf } from './plan.ts';

const receivers = [
  { name: 'oncall', type: 'pagerduty', secretEnv: 'PD_KEY' },
  { name: 'team', type: 'slack', urlEnv: 'SLACK_URL' },
  { name: 'am', type: 'alertmanager', url: 'http://10.0.0.1:9093' },
];
const routes = [
  { severity: ['page'], receivers: ['oncall', 'am'], resolved: false },
  { receivers: ['team'], endpoints: ['chat-eu'] },
];
const routed = someNetwork({ receivers, routes });
const names = (entries: { receiver: string }[]) => entries.map(({ receiver }) => receiver).sort();

describe('deliveriesOf()', () => {
  test('every matching route is followed, by severity and by endpoint', () => {
    const told = (change: Parameters<typeof someAlert>[0]) =>
      names(deliveriesOf(transition('fire', change), routed, []));
    expect(told({})).toEqual(['am', 'oncall', 'team']);
    expect(told({ severity: 'ticket' })).toEqual(['team']);
    expect(told({ severity: 'info' })).toEqual([]);
    expect(told({ endpoints: ['chat-us'], subject: 'chat-us' })).toEqual(['am', 'oncall']);
  });

  test('what another alert explains is not told, nor is what is only for the record', () => {
    expect(deliveriesOf(transition('fire', { suppressedBy: 'shared-hop' }), routed, [])).toEqual([]);
    expect(deliveriesOf(transition(null), routed, [])).toEqual([]);
  });

  test('without routes every receiver hears of pages and tickets', () => {
    const plain = someNetwork({ receivers });
    expect(names(deliveriesOf(transition('fire'), plain, []))).toEqual(['am', 'oncall', 'team']);
    expect(deliveriesOf(transition('fire', { severity: 'info' }), plain, [])).toEqual([]);
  });

  test('of an end hear those who were told and want to, whatever the routes say by then; Alertmanager always', () => {
    const told = deliveriesOf(transition('fire'), routed, []);
    const end = transition('resolve', { state: 'resolved', severity: 'ticket', suppressedBy: 'other' });
    const elsewhere = someNetwork({ receivers, routes: [] });
    expect(names(deliveriesOf(end, routed, told))).toEqual(['am', 'team']);
    expect(names(deliveriesOf(end, elsewhere, told))).toEqual(['am', 'team']);
    expect(deliveriesOf(end, routed, [])).toEqual([]);
    const other = transition('resolve', { incident: 'another' });
    expect(deliveriesOf(other, routed, told)).toEqual([]);
  });

  test('the key is the same whoever computes it, and another for another receiver, moment, severity or end', () => {
    const keys = (t: ReturnType<typeof transition>) => deliveriesOf(t, routed, []).map(({ key }) => key);
    expect(keys(transition('fire'))).toEqual(keys(transition('fire')));
    const all = [
      ...keys(transition('fire')),
      ...keys(transition('fire', {}, 5)),
      ...keys(transition('fire', { incident: 'x' })),
      ...keys(transition('fire', { severity: 'ticket' })),
      ...deliveriesOf(transition('resolve'), routed, deliveriesOf(transition('fire'), routed, [])).map((e) => e.key),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('every entry is as its schema has it, and no notice reaches the 20 kB of Standard Webhooks, whatever peers wrote', () => {
    const long = fc.string({ unit: 'binary', maxLength: 3000 });
    fc.assert(
      fc.property(long, fc.array(long, { maxLength: 30 }), fc.nat(3000), (text, many, n) => {
        const { finding } = someAlert();
        const change = {
          subject: text,
          where: text,
          endpoints: ['chat-eu', ...Array.from({ length: n }, (_, i) => `${i}-${'e'.repeat(50)}`)],
          finding: { ...finding, claim: text, details: many, remedy: { text } },
        };
        for (const entry of deliveriesOf(transition('fire', change), routed, [])) {
          expect(outboxEntry.parse(entry)).toEqual(entry);
          const json = JSON.stringify(entry.notice);
          expect(json.length).toBeLessThan(20_000);
          // oxlint-disable-next-line no-control-regex -- what must not be there
          expect(json).not.toMatch(/\\u00[01]|[\u202a-\u202e]/);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('a list that is cut says by how much', () => {
    const endpoints = Array.from({ length: 100 }, (_, i) => `e${i}`);
    expect(noticeOf(transition('fire', { endpoints }), null).endpoints.slice(-2)).toEqual(['e38', 'and 61 more']);
  });
});
