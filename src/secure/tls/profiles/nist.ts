import type { Profile, Source } from '../profile.ts';

const sp800_52: Source = {
  title: 'NIST SP 800-52 Rev. 2',
  url: 'https://csrc.nist.gov/pubs/sp/800/52/r2/final',
  date: '2019-08',
};
const ir8547: Source = {
  title: 'NIST IR 8547, initial public draft',
  url: 'https://csrc.nist.gov/pubs/ir/8547/ipd',
  date: '2024-11',
};

/** NIST's guidance for US federal systems. */
export const nist: Profile = {
  id: 'nist',
  title: 'NIST: SP 800-52r2 and the transition of IR 8547',
  asOf: '2026-11-23',
  note: 'The dates of IR 8547 are those of its public draft; sources differ on whether a final text exists. Deprecation after 2030 of keys of 112 bits is not a gate here, disallowance after 2035 is.',
  requirements: [
    { id: 'tls13', check: 'tls13', text: 'TLS 1.3 is spoken', requiredFrom: '2024-01-01', source: sp800_52 },
    {
      id: 'no-old-versions',
      check: 'no-old-versions',
      text: 'TLS 1.0 and 1.1 are refused',
      requiredFrom: null,
      source: sp800_52,
    },
    {
      id: 'classical-strength',
      check: 'classical-strength',
      text: 'The key of the certificate has at least 112 bits of strength',
      requiredFrom: null,
      source: sp800_52,
    },
    {
      id: 'pq-key-exchange',
      check: 'pq-key-exchange',
      text: 'Key establishment is ML-KEM (FIPS 203), alone or hybrid',
      requiredFrom: '2036-01-01',
      source: ir8547,
    },
    {
      id: 'pq-certificate',
      check: 'pq-certificate',
      text: 'Authentication is ML-DSA or SLH-DSA (FIPS 204, 205)',
      requiredFrom: '2036-01-01',
      source: ir8547,
    },
  ],
};
