import { codePoint } from './groups.ts';

/** Code points of TLS that this codec speaks (IANA "Transport Layer Security Parameters"). */
export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

export const handshakeType = {
  clientHello: 1,
  serverHello: 2,
  encryptedExtensions: 8,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  finished: 20,
  certificateStatus: 22,
  compressedCertificate: 25,
  messageHash: 254,
} as const;

export const extensionType = {
  serverName: 0,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  keyShare: 51,
  renegotiationInfo: 0xff_01,
} as const;

export const version = { tls10: 0x03_01, tls11: 0x03_02, tls12: 0x03_03, tls13: 0x03_04 } as const;

const versionNames = new Map<number, string>([
  [0x03_00, 'SSL 3.0'],
  [version.tls10, 'TLS 1.0'],
  [version.tls11, 'TLS 1.1'],
  [version.tls12, 'TLS 1.2'],
  [version.tls13, 'TLS 1.3'],
]);
export const versionName = (id: number): string => versionNames.get(id) ?? codePoint(id);

/** Suites of TLS 1.3 (RFC 8446 §B.4) in the order of our offers. */
export const suites13 = [0x13_01, 0x13_02, 0x13_03] as const;

/** Suites of TLS 1.2 and before that servers of today may still have: ECDHE first, RSA key transport and CBC last. */
export const suites12 = [
  0xc0_2b, 0xc0_2f, 0xc0_2c, 0xc0_30, 0xcc_a9, 0xcc_a8, 0xc0_09, 0xc0_13, 0xc0_0a, 0xc0_14, 0x00_9e, 0x00_9f, 0x00_9c,
  0x00_9d, 0x00_2f, 0x00_35,
] as const;

const suiteNames = new Map<number, string>([
  [0x13_01, 'TLS_AES_128_GCM_SHA256'],
  [0x13_02, 'TLS_AES_256_GCM_SHA384'],
  [0x13_03, 'TLS_CHACHA20_POLY1305_SHA256'],
  [0xc0_2b, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  [0xc0_2f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  [0xc0_2c, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  [0xc0_30, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'],
  [0xcc_a9, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
  [0xcc_a8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'],
  [0xc0_09, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'],
  [0xc0_13, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'],
  [0xc0_0a, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA'],
  [0xc0_14, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'],
  [0x00_9e, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'],
  [0x00_9f, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'],
  [0x00_9c, 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
  [0x00_9d, 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
  [0x00_2f, 'TLS_RSA_WITH_AES_128_CBC_SHA'],
  [0x00_35, 'TLS_RSA_WITH_AES_256_CBC_SHA'],
]);
export const suiteName = (id: number): string => suiteNames.get(id) ?? codePoint(id);

/** Signature schemes by family (RFC 8446 §4.2.3; ML-DSA: draft-ietf-tls-mldsa). */
export const schemes = {
  mlDsa: [0x09_05, 0x09_06, 0x09_04],
  ecdsa: [0x04_03, 0x05_03, 0x06_03],
  edDsa: [0x08_07, 0x08_08],
  rsa: [0x08_04, 0x08_05, 0x08_06, 0x08_09, 0x08_0a, 0x08_0b, 0x04_01, 0x05_01, 0x06_01],
  sha1: [0x02_03, 0x02_01],
} as const;

/** What a scan that wants to see any certificate says it can verify. */
export const allSchemes: readonly number[] = [
  ...schemes.ecdsa,
  ...schemes.edDsa,
  ...schemes.rsa,
  ...schemes.mlDsa,
  ...schemes.sha1,
];

const schemeNames = new Map<number, string>([
  [0x09_04, 'mldsa44'],
  [0x09_05, 'mldsa65'],
  [0x09_06, 'mldsa87'],
  [0x04_03, 'ecdsa_secp256r1_sha256'],
  [0x05_03, 'ecdsa_secp384r1_sha384'],
  [0x06_03, 'ecdsa_secp521r1_sha512'],
  [0x08_07, 'ed25519'],
  [0x08_08, 'ed448'],
  [0x08_04, 'rsa_pss_rsae_sha256'],
  [0x08_05, 'rsa_pss_rsae_sha384'],
  [0x08_06, 'rsa_pss_rsae_sha512'],
  [0x08_09, 'rsa_pss_pss_sha256'],
  [0x08_0a, 'rsa_pss_pss_sha384'],
  [0x08_0b, 'rsa_pss_pss_sha512'],
  [0x04_01, 'rsa_pkcs1_sha256'],
  [0x05_01, 'rsa_pkcs1_sha384'],
  [0x06_01, 'rsa_pkcs1_sha512'],
  [0x02_03, 'ecdsa_sha1'],
  [0x02_01, 'rsa_pkcs1_sha1'],
]);
export const schemeName = (id: number): string => schemeNames.get(id) ?? codePoint(id);

const alertNames = new Map<number, string>([
  [0, 'close_notify'],
  [10, 'unexpected_message'],
  [20, 'bad_record_mac'],
  [22, 'record_overflow'],
  [40, 'handshake_failure'],
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [46, 'certificate_unknown'],
  [47, 'illegal_parameter'],
  [50, 'decode_error'],
  [51, 'decrypt_error'],
  [70, 'protocol_version'],
  [71, 'insufficient_security'],
  [80, 'internal_error'],
  [86, 'inappropriate_fallback'],
  [90, 'user_canceled'],
  [109, 'missing_extension'],
  [110, 'unsupported_extension'],
  [112, 'unrecognized_name'],
  [116, 'certificate_required'],
  [120, 'no_application_protocol'],
]);

/** Alerts that servers answer an offer with of which they can use nothing. */
export const alert = {
  handshakeFailure: 40,
  protocolVersion: 70,
  insufficientSecurity: 71,
  internalError: 80,
} as const;
export const alertName = (code: number): string => alertNames.get(code) ?? `alert ${code}`;
