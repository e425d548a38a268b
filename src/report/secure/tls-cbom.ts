import type { TlsCertificateFacts, TlsGroup } from '../../model/secure/tls-survey.ts';
import type { SecureTlsReport, TlsEndpointReport } from '../../model/secure/tls.ts';

/** One component of a CycloneDX document; only the parts that are written here. */
interface Component {
  type: 'cryptographic-asset';
  'bom-ref': string;
  name: string;
  cryptoProperties: Record<string, unknown>;
  evidence?: { occurrences: { location: string }[] };
}

/**
 * What was seen as a cryptography bill of materials: CycloneDX 1.6 with cryptoProperties. One component per algorithm, key,
 * certificate and protocol of an endpoint; what was not seen is not in it.
 * @param id a UUID for the document
 */
export function renderTlsCbom(report: SecureTlsReport, id: string): string {
  const parts = new Map<string, Component>();
  const dependencies = new Map<string, Set<string>>();
  for (const endpoint of report.endpoints) addEndpoint(endpoint, parts, dependencies);
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${id}`,
    version: 1,
    metadata: {
      timestamp: report.startedAt,
      tools: { components: [{ type: 'application', name: 'inferpath', version: report.version }] },
    },
    components: [...parts.values()],
    dependencies: [...dependencies].map(([ref, on]) => ({ ref, dependsOn: [...on] })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

type Parts = Map<string, Component>;

function addEndpoint({ survey }: TlsEndpointReport, parts: Parts, dependencies: Map<string, Set<string>>): void {
  const there = survey.groups.filter(({ support }) => support === 'yes');
  const groups = there.map((group) => add(parts, groupComponent(group)));
  const certificates = survey.chains.flatMap((chain) => chain.certificates.map((one) => addCertificate(parts, one)));
  for (const { version, support } of survey.versions) {
    if (support !== 'yes') continue;
    const number = version.replace(/^\D*/, '');
    const suites = suitesOf(survey.probes, version);
    // Groups were asked in TLS 1.3; which of them an older version takes is known only for what it took.
    const uses = [
      ...(number === '1.3' ? groups : []),
      ...certificates,
      ...suites.map((suite) => add(parts, suiteCipher(suite))),
    ];
    const ref = `protocol/tls-${number}@${survey.endpoint}`;
    add(parts, {
      ...asset(ref, `TLS ${number}`, {
        assetType: 'protocol',
        protocolProperties: {
          type: 'tls',
          version: number,
          cipherSuites: suites.map((name) => ({ name })),
          cryptoRefArray: [...new Set(uses)],
        },
      }),
      evidence: { occurrences: [{ location: survey.endpoint }] },
    });
    dependencies.set(ref, new Set(uses));
  }
}

function add(parts: Parts, component: Component): string {
  const ref = component['bom-ref'];
  if (!parts.has(ref)) parts.set(ref, component);
  return ref;
}

const asset = (ref: string, name: string, cryptoProperties: Record<string, unknown>): Component => ({
  type: 'cryptographic-asset',
  'bom-ref': ref,
  name,
  cryptoProperties,
});

function suitesOf(probes: SecureTlsReport['endpoints'][number]['survey']['probes'], version: string): string[] {
  const said = probes.flatMap(({ reply }) => ('said' in reply ? [reply.said] : []));
  return [...new Set(said.flatMap((one) => (one.version === version && one.suite ? [one.suite] : [])))];
}

function suiteCipher(suite: string): Component {
  const name = /(AES_\d+_(GCM|CBC)|CHACHA20_POLY1305)/.exec(suite)?.[0].replaceAll('_', '-') ?? suite;
  const isAead = !name.endsWith('CBC');
  return algorithm(name, {
    primitive: isAead ? 'ae' : 'block-cipher',
    cryptoFunctions: ['encrypt', 'decrypt'],
    ...(/\d{3}/.test(name) && name.startsWith('AES') ? { parameterSetIdentifier: /\d+/.exec(name)![0] } : {}),
    nistQuantumSecurityLevel: name.includes('128') ? 1 : 5,
  });
}

const algorithm = (name: string, algorithmProperties: Record<string, unknown>, oid?: string): Component =>
  asset(`algorithm/${name}`, name, { assetType: 'algorithm', algorithmProperties, ...(oid ? { oid } : {}) });

/** NIST categories 1, 3, 5 of ML-KEM (FIPS 203 §8); drafts and classical groups have none: 0. */
const kemLevel = (name: string): number => (name.endsWith('1024') ? 5 : name.endsWith('768') ? 3 : 1);

function groupComponent({ name, kind }: TlsGroup): Component {
  const isPq = kind === 'hybrid' || kind === 'pure';
  return algorithm(name, {
    primitive: kind === 'hybrid' || kind === 'draft' ? 'combiner' : kind === 'pure' ? 'kem' : 'key-agree',
    cryptoFunctions: kind === 'classical' ? ['keygen', 'keyderive'] : ['keygen', 'encapsulate', 'decapsulate'],
    nistQuantumSecurityLevel: isPq ? kemLevel(name) : 0,
  });
}

function addCertificate(parts: Parts, one: TlsCertificateFacts): string {
  const signature = add(parts, signatureComponent(one.signature));
  const keyName = one.keyBits !== null && one.key.startsWith('RSA') ? `${one.key}-${one.keyBits}` : one.key;
  const key = add(
    parts,
    asset(`key/${one.sha256}`, `${keyName} public key`, {
      assetType: 'related-crypto-material',
      relatedCryptoMaterialProperties: {
        type: 'public-key',
        algorithmRef: add(parts, signatureComponent(keyName)),
        ...(one.keyBits === null ? {} : { size: one.keyBits }),
      },
    }),
  );
  return add(
    parts,
    asset(`certificate/${one.sha256}`, one.subject, {
      assetType: 'certificate',
      certificateProperties: {
        subjectName: one.subject,
        issuerName: one.issuer,
        notValidBefore: one.notBefore,
        notValidAfter: one.notAfter,
        signatureAlgorithmRef: signature,
        subjectPublicKeyRef: key,
        certificateFormat: 'X.509',
      },
    }),
  );
}

/** FIPS 204 and 205 categories; classical ones have none. */
function signatureComponent(name: string): Component {
  const mlDsa = { 'ML-DSA-44': 2, 'ML-DSA-65': 3, 'ML-DSA-87': 5 }[name];
  const slhDsa = name.startsWith('SLH-DSA') ? (/256/.test(name) ? 5 : /192/.test(name) ? 3 : 1) : undefined;
  return algorithm(name, {
    primitive: 'signature',
    cryptoFunctions: ['sign', 'verify'],
    nistQuantumSecurityLevel: mlDsa ?? slhDsa ?? 0,
  });
}
