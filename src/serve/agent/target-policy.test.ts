import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { guarded, targetPolicy } from './target-policy.ts';

const open = targetPolicy([]);

/** Every form in which an address of a metadata service was smuggled past somebody's check. */
const smuggled = [
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '::',
  '255.255.255.255',
  '224.0.0.1',
  'ff02::1',
];

test.each(smuggled)('%s is refused, whatever is allowed', (address) => {
  expect(open.refusal(address)).not.toBeNull();
  expect(targetPolicy(['0.0.0.0/0', '::/0']).refusal(address)).not.toBeNull();
});

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'])(
  '%s is refused unless it is allowed',
  (address) => {
    expect(open.refusal(address)).toMatch(/this host/);
    expect(targetPolicy(['127.0.0.0/8', '::1/128', '::ffff:127.0.0.0/104']).refusal(address)).toBeNull();
  },
);

test.each([
  '10.0.0.5',
  '192.168.1.1',
  '100.64.0.1',
  '8.8.8.8',
  'fd12::1',
  '2001:db8::1',
  '2002:808:808::1',
  '64:ff9b::808:808',
])('%s is measured when nothing is said', (address) => {
  expect(open.refusal(address)).toBeNull();
});

test('what is allowed is measured and nothing else', () => {
  const policy = targetPolicy(['10.1.0.0/16', 'fd00:1::/32']);
  expect(['10.1.2.3', 'fd00:1::5'].map((a) => policy.refusal(a))).toEqual([null, null]);
  for (const other of ['10.2.0.1', '8.8.8.8', 'fd00:2::1', '127.0.0.1'])
    expect(policy.refusal(other), other).not.toBeNull();
});

test('an address of any other form is refused, not understood in another way', () => {
  for (const text of [
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '127.0.0.1.',
    'localhost',
    '[::1]',
    '',
    '10.0.0.1 ',
  ])
    expect(open.refusal(text), text).toBe('is no address');
  fc.assert(
    fc.property(fc.string(), (text) => {
      const why = open.refusal(text);
      expect(why === null || typeof why === 'string').toBe(true);
    }),
  );
});

test.each(['10.0.0.0/33', 'fd00::/129', 'example.com', '10.0.0', '10.0.0.0/', '::1/x'])(
  '--allow %s is refused',
  (cidr) => {
    expect(() => targetPolicy([cidr])).toThrow(/is no CIDR/);
  },
);

test('a name with one refused address among good ones is not resolved at all', async () => {
  const hosts = {
    'good.test': [{ address: '10.0.0.1', family: 4 as const }],
    'rebound.test': [
      { address: '10.0.0.1', family: 4 as const },
      { address: '169.254.169.254', family: 4 as const },
    ],
  };
  const io = guarded(fakeIo({ hosts }), open);
  expect(await io.dns.lookup('good.test')).toHaveLength(1);
  await expect(io.dns.lookup('rebound.test')).rejects.toMatchObject({
    code: 'EACCES',
    message: expect.stringContaining('169.254.169.254'),
  });
});
