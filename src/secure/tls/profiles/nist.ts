import type { Profile, Source } from '../profile.ts';

const sp800_52: Source = {
  title: 'NIST SP 800-52 Rev. 2',
  url: 'https://csrc.nist.gov/pubs/sp/800/52/r2/final',
  date: '2019-08',
  checked:
    'the announcement at nist.gov (TLS 1.2 required, plans for TLS 1.3 by 2024-01-01), 2026-11-27; not the text itself, which is under review since June 2026',
};
const order: Source = {
  title: 'US Executive Order 14412',
  url: 'https://www.federalregister.gov/d/2026-12909',
  date: '2026-06-22',
  checked:
    'number, title and date in the text of the Federal Register (2026-12909), both deadlines in four reports that agree, 2026-11-27; the guidance that follows from it was not found',
};

/** What holds for US federal systems: NIST's guidance, with the dates that an order of 2026 has set before those of NIST's draft. */
export const nist: Profile = {
  id: 'nist',
  title: 'NIST: SP 800-52r2, and the transition that Executive Order 14412 dates',
  asOf: '2026-11-27',
  note: 'The dates of 2030 and 2031 bind high value assets and high impact systems of US agencies, and their contractors; for everything else NIST IR 8547 (draft of November 2024, no final text found) has disallowance after 2035. That keys of 112 bits are deprecated after 2030 is not a gate here.',
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
      requiredFrom: '2031-01-01',
      source: order,
    },
    {
      id: 'pq-certificate',
      check: 'pq-certificate',
      text: 'Authentication is ML-DSA or SLH-DSA (FIPS 204, 205)',
      requiredFrom: '2032-01-01',
      source: order,
    },
  ],
};
