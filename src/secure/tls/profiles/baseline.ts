import type { Profile, Source } from '../profile.ts';

const rfc8996: Source = {
  title: 'RFC 8996',
  url: 'https://www.rfc-editor.org/rfc/rfc8996',
  date: '2021-03',
  checked: 'not read again; named as an update of RFC 7525 by the datatracker',
};
const rfc9325: Source = {
  title: 'RFC 9325',
  url: 'https://www.rfc-editor.org/rfc/rfc9325',
  date: '2022-11',
  checked:
    'title, status (BCP 195) and date at the datatracker and the RFC Editor, 2026-11-27; its lengths of keys not read again',
};
const hybrids: Source = {
  title: 'draft-ietf-tls-ecdhe-mlkem-05',
  url: 'https://datatracker.ietf.org/doc/draft-ietf-tls-ecdhe-mlkem/',
  date: '2026-05-26',
  checked:
    'number and date of the draft in an archive of drafts, its place in the queue of the RFC Editor at the datatracker, 2026-11-27',
};
const rfc8446: Source = {
  title: 'RFC 8446',
  url: 'https://www.rfc-editor.org/rfc/rfc8446',
  date: '2018-08',
  checked: 'the text itself, as the handshake of this program is written by it',
};

/** What holds for everybody today; no authority stands behind it but the standards that it names. */
export const baseline: Profile = {
  id: 'baseline',
  title: 'baseline: what every endpoint can have today',
  asOf: '2026-11-27',
  note: 'Hybrid key exchange is a requirement of ours, not of a standard: it costs one packet, and only it helps against recording.',
  requirements: [
    { id: 'tls13', check: 'tls13', text: 'TLS 1.3 is spoken', requiredFrom: null, source: rfc9325 },
    {
      id: 'no-old-versions',
      check: 'no-old-versions',
      text: 'TLS 1.0 and 1.1 are refused',
      requiredFrom: null,
      source: rfc8996,
    },
    {
      id: 'pq-key-exchange',
      check: 'pq-key-exchange',
      text: 'Clients that offer a hybrid group get it',
      requiredFrom: null,
      source: hybrids,
    },
    { id: 'path', check: 'path', text: 'Large and split ClientHellos arrive', requiredFrom: null, source: rfc8446 },
    {
      id: 'classical-strength',
      check: 'classical-strength',
      text: 'The key of the certificate is RSA ≥ 2048, a curve ≥ 256 bits, or post-quantum',
      requiredFrom: null,
      source: rfc9325,
    },
  ],
};
