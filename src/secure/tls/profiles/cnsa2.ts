import type { Profile, Source } from '../profile.ts';

const faq: Source = {
  title: 'NSA, CNSA 2.0 and Quantum Computing FAQ, version 2.1',
  url: 'https://media.defense.gov/2022/Sep/07/2003071836/-1/-1/0/CSI_CNSA_2.0_FAQ_.PDF',
  date: '2024-12',
  checked:
    'version and date, ML-KEM-1024 and ML-DSA-87 alone, and 2030-12-31 as the end of what cannot support them: in reports about it, 2026-11-27; the document itself could not be read',
};
const draft: Source = {
  title: 'draft-becker-cnsa2-tls-profile-03',
  url: 'https://datatracker.ietf.org/doc/draft-becker-cnsa2-tls-profile/',
  date: '2026-04-01',
  checked: 'title, status and abstract at the datatracker, 2026-11-27; its sections were not read',
};
const advisory: Source = {
  title: 'NSA, Announcing the Commercial National Security Algorithm Suite 2.0',
  url: 'https://media.defense.gov/2022/Sep/07/2003071834/-1/-1/0/CSA_CNSA_2.0_ALGORITHMS_.PDF',
  date: '2022-09',
  checked:
    'preferred from 2025 and alone from 2033 for web servers and cloud services: in reports about it, 2026-11-27; the document itself could not be read',
};

/** US national security systems: web servers and cloud services prefer it since 2025 and have nothing else from 2033. */
export const cnsa2: Profile = {
  id: 'cnsa2',
  title: 'CNSA 2.0: web servers and cloud services',
  asOf: '2026-11-27',
  note: 'Only ML-KEM-1024 and ML-DSA-87 count: X25519MLKEM768 is post-quantum and not CNSA 2.0. Network equipment, and operating systems have other dates.',
  requirements: [
    { id: 'tls13', check: 'tls13', text: 'TLS 1.3 is spoken', requiredFrom: null, source: draft },
    {
      id: 'no-old-versions',
      check: 'no-old-versions',
      text: 'TLS 1.0 and 1.1 are refused',
      requiredFrom: null,
      source: draft,
    },
    { id: 'aes-256', check: 'aes-256', text: 'AES-256 with SHA-384 is there', requiredFrom: null, source: advisory },
    {
      id: 'ml-kem-1024',
      check: 'ml-kem-1024',
      text: 'A group with ML-KEM-1024 is there (preferred from 2025)',
      requiredFrom: '2031-01-01',
      source: faq,
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
