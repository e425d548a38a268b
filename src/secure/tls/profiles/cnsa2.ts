import type { Profile, Source } from '../profile.ts';

const faq: Source = {
  title: 'NSA, CNSA 2.0 and Quantum Computing FAQ, version 2.1',
  url: 'https://media.defense.gov/2022/Sep/07/2003071836/-1/-1/0/CSI_CNSA_2.0_FAQ_.PDF',
  date: '2024-12',
};
const advisory: Source = {
  title: 'NSA, Announcing the Commercial National Security Algorithm Suite 2.0',
  url: 'https://media.defense.gov/2022/Sep/07/2003071834/-1/-1/0/CSA_CNSA_2.0_ALGORITHMS_.PDF',
  date: '2022-09',
};

/** US national security systems: web servers and cloud services prefer it since 2025 and have nothing else from 2033. */
export const cnsa2: Profile = {
  id: 'cnsa2',
  title: 'CNSA 2.0: web servers and cloud services',
  asOf: '2026-11-23',
  note: 'Only ML-KEM-1024 and ML-DSA-87 count: X25519MLKEM768 is post-quantum and not CNSA 2.0. Network equipment, operating systems and new purchases have other dates.',
  requirements: [
    { id: 'tls13', check: 'tls13', text: 'TLS 1.3 is spoken', requiredFrom: null, source: faq },
    {
      id: 'no-old-versions',
      check: 'no-old-versions',
      text: 'TLS 1.0 and 1.1 are refused',
      requiredFrom: null,
      source: faq,
    },
    { id: 'aes-256', check: 'aes-256', text: 'AES-256 with SHA-384 is there', requiredFrom: null, source: advisory },
    {
      id: 'ml-kem-1024',
      check: 'ml-kem-1024',
      text: 'A group with ML-KEM-1024 is there (preferred from 2025)',
      requiredFrom: '2033-01-01',
      source: advisory,
    },
    {
      id: 'only-ml-kem-1024',
      check: 'only-ml-kem-1024',
      text: 'No other group is there',
      requiredFrom: '2033-01-01',
      source: advisory,
    },
    {
      id: 'ml-dsa-87-certificate',
      check: 'ml-dsa-87-certificate',
      text: 'The certificate has an ML-DSA-87 key',
      requiredFrom: '2033-01-01',
      source: advisory,
    },
  ],
};
