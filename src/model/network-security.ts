import * as z from 'zod';
import { named } from './patterns.ts';

const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);
const years = (description: string) => z.number().min(0).max(200).meta({ description });
const year = (description: string) => z.number().int().min(2024).max(2200).meta({ description });

/** Addresses that belong to the user: the only ones that `secure exposure` asks. */
const ownRange = z
  .strictObject({
    cidr: z
      .string()
      .regex(named.cidr.pattern, `must be ${named.cidr.words}`)
      .meta({ description: 'Network or address, IPv4 or IPv6.' }),
    public: z
      .boolean()
      .default(false)
      .meta({ description: 'Says that it is meant although it can be reached from the Internet.' }),
    about: z.string().max(200).optional().meta({ description: 'What stands there.' }),
  })
  .meta({ description: 'Addresses that are yours.' });

const dataClass = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    secrecyYears: years('How long it has to stay secret, from the day it was sent, years.'),
    migrationYears: years('How long it takes you to have post-quantum encryption everywhere it passes, years.'),
    on: z
      .array(name)
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Endpoints and hops that it passes; default: all.' }),
  })
  .meta({ description: 'Data with the time that it has to stay secret.' });
export type DataClass = z.infer<typeof dataClass>;

const encryptionKind = z.enum(['otnsec', 'macsec', 'ipsec', 'wireguard', 'tls', 'ssh', 'qkd', 'none']).meta({
  description:
    'What encrypts: OTNsec (L1), MACsec (L2), IPsec or WireGuard (L3), TLS or SSH (L4); qkd supplies keys and encrypts nothing itself; none says that nothing does.',
});
const keyAgreement = z
  .enum(['psk', 'psk+ecdh', 'ecdh', 'dh', 'rsa', 'eap-tls', 'ml-kem', 'ml-kem+ecdh', 'qkd', 'qkd+psk'])
  .meta({
    description:
      'Where the keys come from: preshared (MACsec CAK, IKEv2 PPK of RFC 8784, WireGuard), elliptic curves, finite fields, RSA transport, a CAK from EAP-TLS, ML-KEM alone or hybrid, QKD.',
  });

const layer = z
  .strictObject({
    kind: encryptionKind,
    cipher: z
      .enum(['aes-gcm', 'aes-ccm', 'aes-ctr', 'aes-cbc', 'chacha20-poly1305', '3des', 'rc4', 'null'])
      .optional()
      .meta({ description: 'Cipher with its mode.' }),
    keyBits: z.number().int().min(40).max(512).optional().meta({ description: 'Bits of the symmetric key.' }),
    keyAgreement: keyAgreement.optional(),
    covers: z
      .enum(['wholeHop', 'partOfHop'])
      .default('wholeHop')
      .meta({ description: 'Whether every span, switch or tunnel between the two ends has it.' }),
    evidence: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .meta({ description: 'What was looked at, like "show macsec on both ends"; without it nothing passes.' }),
    checked: z.iso
      .date()
      .optional()
      .meta({ description: 'Day on which it was looked at, like 2026-01-31; older than a year counts as unknown.' }),
  })
  .meta({ description: 'One layer of encryption.' });
export type EncryptionLayer = z.infer<typeof layer>;

const hop = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    link: name.optional().meta({ description: 'Link of the file that it is.' }),
    endpoint: name
      .optional()
      .meta({ description: 'Endpoint whose TLS it is: what `secure tls` measured there counts for it.' }),
    between: z
      .tuple([z.string().min(1).max(100), z.string().min(1).max(100)])
      .optional()
      .meta({ description: 'The two ends in your words, where it is no link: ["load balancer", "vllm"].' }),
    layers: z.array(layer).max(10).default([]).meta({ description: 'What encrypts it; an empty list: not known.' }),
  })
  .meta({ description: 'One stretch that data passes, with what encrypts it.' });
export type Hop = z.infer<typeof hop>;

/** What is secret for how long, what encrypts it where, and which addresses may be looked at. */
export const security = z
  .strictObject({
    ranges: z
      .array(ownRange)
      .max(1000)
      .default([])
      .meta({ description: 'Addresses that are yours: `secure exposure` asks no other.' }),
    dataClasses: z
      .array(dataClass)
      .max(100)
      .default([])
      .meta({ description: 'Data with the time that it has to stay secret.' }),
    quantumComputer: z
      .strictObject({
        earliest: year('First year in which one may break today’s key agreement.'),
        latest: year('Year by which one surely does.'),
      })
      .optional()
      .meta({ description: 'Your assumption; inferpath makes none of its own.' }),
    hops: z.array(hop).max(1000).default([]).meta({ description: 'Encryption, hop by hop.' }),
  })
  .prefault({})
  .meta({ description: 'What has to stay secret, what encrypts it, and what is yours to look at.' });
export type Security = z.infer<typeof security>;
