import { describe, expect, test } from 'vitest';
import { plannedNetwork } from '../../model/network.ts';
import { minutesPerYear } from './failing.ts';
import { riskNetworkOf } from './from-network.ts';
import { downtimeOf } from './reachability.ts';
import { redundancyInput } from './redundancy.ts';
import { riskMapOf } from './risk-network.ts';
import { serviceQuestion } from './service.ts';
import { servicesOf, withOnly } from './services.ts';
import { percentText } from './words.ts';

const sites = [
  { name: 'a', role: 'user' },
  { name: 'b', role: 'dc' },
];
const cable = { from: 'a', to: 'b', lengthKm: 100 };
const duct = { name: 'duct', lengthKm: 5 };

function downtime(rest: object, from = 'a', to = 'b') {
  const network = plannedNetwork.parse({ version: 1, sites, ...rest });
  const service = withOnly(network, from, to);
  if ('mistake' in service) throw new Error(service.mistake);
  return downtimeOf(serviceQuestion(riskMapOf(riskNetworkOf(network).net), service)).low;
}

describe('the worked vectors', () => {
  // 100 km × 2.13 / 1000 km·year × 12 h / 8766 h.
  const one = 0.000291581;

  test('100 km of buried cable, repaired in 12 h: 99.971 %', () => {
    const down = downtime({ links: [{ name: 'x', ...cable }] });
    expect(down).toBeCloseTo(one, 9);
    expect((100 * (1 - down)).toFixed(3)).toBe('99.971');
  });

  test('two of them apart: 99.9999915 %', () => {
    const down = downtime({ links: ['x', 'y'].map((name) => ({ name, ...cable })) });
    expect(down).toBeCloseTo(one ** 2, 12);
    expect((100 * (1 - down)).toFixed(7)).toBe('99.9999915');
  });

  test('two that share 5 km of duct: 99.9985 %', () => {
    const links = ['x', 'y'].map((name) => ({ name, ...cable, riskGroups: ['duct'] }));
    const down = downtime({ links, riskGroups: [duct] });
    expect(down).toBeCloseTo(1.4579e-5 + (1 - 1.4579e-5) * 2.77e-4 ** 2, 9);
    expect((100 * (1 - down)).toFixed(4)).toBe('99.9985');
  });
});

describe('a network of risks', () => {
  const netOf = (rest: object) => riskNetworkOf(plannedNetwork.parse({ version: 1, sites, ...rest }));

  test('takes what is entered before what is published, and says which', () => {
    const carriers = [{ name: 'c', failuresPer1000KmYear: 1, repairHours: 8.766 }];
    const { net } = netOf({
      carriers,
      links: [
        { name: 'published', ...cable },
        { name: 'rented', ...cable, carrier: 'c' },
        { name: 'own', ...cable, carrier: 'c', failuresPerYear: 2 },
        { name: 'promised', ...cable, availability: 0.997 },
      ],
    });
    const facts = net.links.map(({ failing }) => [failing!.origin, failing!.repairHours]);
    expect(facts).toEqual([
      ['sourced', 12],
      ['entered', 8.766],
      ['entered', 8.766],
      ['entered', null],
    ]);
    const down = net.links.map(({ failing }) => failing!.down);
    expect(down[1]).toBeCloseTo(0.1 * 1e-3, 12);
    expect(down[2]).toBeCloseTo(2e-3, 12);
    expect(down[3]).toBeCloseTo(0.003, 12);
  });

  test('takes the shared part off what is entered for the whole link', () => {
    const links = [{ name: 'x', ...cable, availability: 0.98, riskGroups: ['duct'] }];
    const riskGroups = [{ name: 'duct', availability: 0.99 }];
    expect(downtime({ links, riskGroups })).toBeCloseTo(0.02, 12);
    const less = [{ name: 'x', ...cable, availability: 0.995, riskGroups: ['duct'] }];
    expect(downtime({ links: less, riskGroups })).toBeCloseTo(0.01, 12);
  });

  test('says what it had to assume', () => {
    const { notes } = netOf({
      links: [
        { name: 'x', ...cable, riskGroups: ['duct'] },
        { name: 'y', from: 'a', to: 'b' },
      ],
      riskGroups: [{ name: 'duct' }],
    });
    expect(notes[0]).toContain('no length is known of y');
    expect(notes[1]).toContain('risk group duct has no lengthKm: taken to be shared along the whole');
  });

  test('of a site with devices: each fails alone, either is enough where both are connected', () => {
    const nodes = ['b1', 'b2'].map((name) => ({ name, site: 'b', availability: 0.9 }));
    const link = (name: string, to: string) => ({ name, from: 'a', to, lengthKm: 0 });
    expect(downtime({ nodes, links: [link('x', 'b1')] })).toBeCloseTo(0.1, 12);
    expect(downtime({ nodes, links: [link('x', 'b1'), link('y', 'b2')] })).toBeCloseTo(0.01, 12);
    expect(downtime({ nodes, links: [link('x', 'b')] })).toBe(0);
  });
});

describe('services', () => {
  const endpoint = (name: string, site: string, more = {}) => ({ name, url: `https://${name}.example`, site, ...more });
  const parse = (rest: object) => plannedNetwork.parse({ version: 1, ...rest });

  test('are endpoints with their backups from each site of users, and required connections', () => {
    const { services } = servicesOf(
      parse({
        sites: [...sites, { name: 'c', role: 'dc' }, { name: 'd', role: 'edge', users: 7 }],
        endpoints: [endpoint('chat', 'b'), endpoint('spare', 'c', { backupOf: 'chat' })],
        requirements: [
          { from: 'b', to: 'c', diverse: true },
          { from: 'a', to: 'd', maxRttMs: 5 },
        ],
      }),
    );
    expect(services.map(({ from, to, servedFrom, users }) => [from, to, servedFrom, users])).toEqual([
      ['a', 'chat', ['b', 'c'], 1],
      ['d', 'chat', ['b', 'c'], 7],
      ['b', 'c', ['c'], 1],
    ]);
  });

  test('count a failing serving site for an endpoint, and not for a connection between two sites', () => {
    const rest = {
      sites: [sites[0]!, { ...sites[1]!, availability: 0.99 }],
      links: [{ name: 'x', from: 'a', to: 'b', lengthKm: 0 }],
      endpoints: [endpoint('chat', 'b')],
    };
    expect(downtime(rest, 'a', 'chat')).toBeCloseTo(0.01, 12);
    expect(downtime(rest, 'a', 'b')).toBe(0);
  });

  test('say which endpoints nothing is known about', () => {
    const { notes } = redundancyInput(parse({ sites, endpoints: [{ name: 'x', url: 'https://x.example' }] }), 'f');
    expect(notes).toEqual(['endpoint x has no site, so that nothing can be said about the way to it']);
  });
});

test('percentText() has as many digits as it takes to tell it from 100 %', () => {
  expect([0.5, 0.99, 0.99971, 0.999999915, 1].map(percentText)).toEqual([
    '50.0 %',
    '99.00 %',
    '99.971 %',
    '99.9999915 %',
    '100 %',
  ]);
  expect(minutesPerYear).toBe(525_960);
});
