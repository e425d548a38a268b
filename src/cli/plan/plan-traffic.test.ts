import { expect, test } from 'vitest';
import { cli } from '../../../test/fixtures/cli.ts';

const network = `version: 1
sites:
  - { name: users, role: user, users: 1000, utcOffsetHours: 0 }
  - { name: hall, role: dc }
workloads:
  - { name: chat, class: chat, traffic: { to: [hall], requestsPerUserHour: 36 } }
links: [{ name: l, from: users, to: hall, capacityGbps: 1 }]
`;
const files = { 'n.yaml': network };

test('plan demand shows the matrix and how the largest parts came about, in 80 columns', async () => {
  const { code, stdout, stderr } = await cli(['plan', 'demand', 'n.yaml'], { files });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain('hall → users');
  expect(stdout).toMatch(/north-south +mean \d/);
  expect(stdout).toContain('working hours of each site are assumed for chat');
  expect(stdout).toMatch(/answer stream hall → users: busiest hour .*?at once on average/s);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('more than the direct link may carry ends with 1', async () => {
  const { code, stdout } = await cli(['plan', 'demand', 'n.yaml', '--year', '20'], { files });
  expect(code).toBe(1);
  expect(stdout).toContain('FAIL  hall → users needs');
});

test('plan demand explains every part when asked', async () => {
  const { stdout } = await cli(['plan', 'demand', 'n.yaml', '--explain'], { files });
  expect(stdout).toContain('acknowledgements of prompt upload');
  expect(stdout).toContain('(sourced)');
});

test('plan fabric needs no file, and says what is wrong with a wish', async () => {
  const good = await cli(['plan', 'fabric', '--gpus', '1024', '--nic-gbps', '400', '--radix', '64', '--rails', '8']);
  expect(good.code).toBe(0);
  expect(good.stdout).toContain('48  switches: 32 leaf, 16 spine');
  const bad = await cli([
    'plan',
    'fabric',
    '--gpus',
    '64',
    '--nic-gbps',
    '400',
    '--radix',
    '64',
    '--port-gbps',
    '100',
    '--rails',
    '3',
  ]);
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain('--nic-gbps: found 400');
  expect(bad.stderr).toContain('--rails: found 3');
  const large = await cli(['plan', 'fabric', '--gpus', '100000', '--nic-gbps', '400', '--radix', '16']);
  expect(large.stderr).toContain('--gpus: found 100000; allowed: at most about 1024');
});

test('plan transport says what to buy and why not the rest, in 80 columns', async () => {
  const quotes = `requirements: [{ from: users, to: hall, minGbps: 50, encryption: macsec }]
quotes:
  - { name: wave, from: users, to: hall, kind: wavelength, capacityGbps: 100, monthly: 900, setup: 100, lengthKm: 100 }
  - { name: dear, from: users, to: hall, kind: ethernetP2p, capacityGbps: 100, monthly: 1900, rttMs: 2 }
  - { name: vpn, from: users, to: hall, kind: ipVpn, capacityGbps: 10, monthly: 100, rttMs: 3 }
`;
  const { code, stdout, stderr } = await cli(['plan', 'transport', 'n.yaml'], {
    files: { 'n.yaml': network + quotes },
  });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/best +wave: wavelength/);
  expect(stdout).toMatch(/dearer +dear: Ethernet point-to-point/);
  expect(stdout).toMatch(/no +vpn: MPLS IP-VPN\n +ipsec by its kind; macsec asked/);
  expect(stdout).toContain('not quoted, could be asked for:');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
