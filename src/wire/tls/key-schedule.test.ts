import { expect, test } from 'vitest';
import { expandLabel, RecordOpener, serverHandshakeSecret, suiteOf } from './key-schedule.ts';
import { TlsError } from './octets.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

// RFC 8448 §3, "Simple 1-RTT Handshake": ClientHello and ServerHello, the shared secret, and what follows from them.
const clientHello = hex(`
  010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b000900
  0006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd
  43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806040105010601
  0201040205020602020 2002d00020101001c00024001`);
const serverHello = hex(`
  020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095
  fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304`);
const shared = hex('8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d');

test('serverHandshakeSecret() and expandLabel() give the secrets of RFC 8448 §3', () => {
  const suite = suiteOf(0x13_01);
  const secret = serverHandshakeSecret(suite, shared, [clientHello, serverHello]);
  expect(secret.toString('hex')).toBe('b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38');
  expect(expandLabel(suite, secret, 'key', Buffer.alloc(0), 16)).toEqual(hex('3fce516009c21727d0f2e4e86ee403bc'));
  expect(expandLabel(suite, secret, 'iv', Buffer.alloc(0), 12)).toEqual(hex('5d313eb2671276ee13000b30'));
});

test('RecordOpener refuses what was not made with its key', () => {
  const opener = new RecordOpener(suiteOf(0x13_03), Buffer.alloc(32, 7));
  const record = { type: 23, header: hex('1703030020'), fragment: Buffer.alloc(32) };
  expect(() => opener.open(record)).toThrow(TlsError);
  expect(() => opener.open({ ...record, fragment: Buffer.alloc(16) })).toThrow(TlsError);
  expect(() => suiteOf(0x13_04)).toThrow(TlsError);
});
