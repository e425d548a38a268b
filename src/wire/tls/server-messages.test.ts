import { expect, test } from 'vitest';
import { version } from './code-points.ts';
import { TlsError, u16, u8, vector16, vector24, vector8 } from './octets.ts';
import {
  readAlert,
  readCertificateRequest,
  readCertificates,
  readEncryptedExtensions,
  readServerHello,
  readServerKeyExchange,
  retryRandom,
} from './server-messages.ts';

const one = Buffer.from('first');
const two = Buffer.from('second');

test('readCertificates() reads both forms, and refuses a context, a cut and more than 32', () => {
  const old = vector24(vector24(one), vector24(two));
  expect(readCertificates(old, version.tls12)).toEqual([one, two]);
  const entry = Buffer.concat([vector24(one), vector16()]);
  const is13 = Buffer.concat([vector8(), vector24(entry, entry)]);
  expect(readCertificates(is13, version.tls13)).toHaveLength(2);
  const many = Buffer.concat([vector8(), vector24(...Array.from({ length: 33 }, () => entry))]);
  const asked = Buffer.concat([vector8(u8(1)), vector24(entry)]);
  for (const wrong of [many, asked, is13.subarray(0, -1), Buffer.concat([is13, u8(0)])])
    expect(() => readCertificates(wrong, version.tls13)).toThrow(TlsError);
});

test('readServerHello() tells a HelloRetryRequest with its cookie from a ServerHello', () => {
  const extensions = [
    u16(43),
    vector16(u16(0x03_04)),
    u16(51),
    vector16(u16(0x11_ec)),
    u16(44),
    vector16(vector16(one)),
  ];
  const body = Buffer.concat([u16(0x03_03), retryRandom, vector8(), u16(0x13_01), u8(0), vector16(...extensions)]);
  expect(readServerHello(body)).toMatchObject({ isRetry: true, version: version.tls13, group: 0x11_ec, share: null });
  expect(Buffer.from(readServerHello(body).cookie!)).toEqual(one);
  const twice = Buffer.concat([body.subarray(0, 38), vector16(...extensions, ...extensions)]);
  expect(() => readServerHello(twice)).toThrow('extension 43 twice');
});

test('readServerHello() hears a server that could do more', () => {
  const random = Buffer.concat([Buffer.alloc(24, 1), Buffer.from('DOWNGRD\u0001', 'latin1')]);
  const body = Buffer.concat([u16(0x03_03), random, vector8(), u16(0xc0_2b), u8(0)]);
  expect(readServerHello(body)).toMatchObject({ version: version.tls12, group: null, downgrade: 'could do TLS 1.3' });
});

test('the smaller messages', () => {
  const alpn = Buffer.concat([u16(16), vector16(vector16(vector8(Buffer.from('h2'))))]);
  expect(readEncryptedExtensions(vector16(alpn))).toEqual({ alpn: 'h2' });
  expect(readEncryptedExtensions(vector16())).toEqual({ alpn: null });
  const asks = Buffer.concat([vector8(), vector16(u16(13), vector16(vector16(u16(0x04_03), u16(0x09_05))))]);
  expect(readCertificateRequest(asks)).toEqual({ schemes: [0x04_03, 0x09_05] });
  const exchange = Buffer.concat([u8(3), u16(0x1d), vector8(one), u16(0x04_03), vector16(two)]);
  expect(readServerKeyExchange(exchange, version.tls12)).toEqual({ group: 0x1d, scheme: 0x04_03 });
  expect(readServerKeyExchange(u8(1), version.tls12)).toEqual({ group: null, scheme: null });
  expect(readAlert(Buffer.from([2, 40]))).toEqual({ fatal: true, code: 40 });
  expect(() => readAlert(Buffer.from([2]))).toThrow(TlsError);
});
