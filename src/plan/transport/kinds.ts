import type { TransportKind } from '../../model/network-links.ts';
import type { Requirement } from '../../model/network-offers.ts';

type Encryption = Exclude<Requirement['encryption'], 'none' | 'any'>;

/** What a kind of transport is by nature, whoever sells it. */
export interface KindFacts {
  kind: TransportKind;
  name: string;
  layer: string;
  /** What bounds its round trip: the fibre alone, the network of a provider, or nobody. */
  latency: 'path' | 'provider' | 'unbounded';
  encryption: readonly Encryption[];
  /** Whether the buyer lights it. */
  ownOptics: boolean;
  /** Availability that is usually promised, where somebody published one. */
  availability: { value: number; source: string } | null;
  about: string;
}

const lit: readonly Encryption[] = ['optical', 'macsec', 'ipsec'];

export const kindFacts: readonly KindFacts[] = [
  {
    kind: 'darkFibre',
    name: 'dark fibre',
    layer: 'glass',
    latency: 'path',
    encryption: lit,
    ownOptics: true,
    availability: null,
    about: 'Rate and encryption are yours; a repair time is promised for the glass, nothing for the light on it.',
  },
  {
    kind: 'mofn',
    name: 'managed optical fibre network',
    layer: 'optical, one tenant',
    latency: 'path',
    encryption: lit,
    ownOptics: false,
    availability: null,
    about: 'Built and run by a provider for one customer; availability by contract.',
  },
  {
    kind: 'spectrum',
    name: 'spectrum on a shared line',
    layer: 'optical',
    latency: 'path',
    encryption: lit,
    ownOptics: true,
    availability: null,
    about: 'Your transponders on the amplifiers of a provider; availability by contract.',
  },
  {
    kind: 'wavelength',
    name: 'wavelength',
    layer: 'optical, lit',
    latency: 'path',
    encryption: lit,
    ownOptics: false,
    availability: { value: 0.997, source: 'TELUS, target for unprotected wavelengths; 99.99 % for a protected core' },
    about: 'Linear in waves; unprotected unless bought otherwise.',
  },
  {
    kind: 'ethernetP2p',
    name: 'Ethernet point-to-point',
    layer: 'Ethernet',
    latency: 'provider',
    encryption: ['macsec', 'ipsec'],
    ownOptics: false,
    availability: { value: 0.9999, source: 'SSE Telecoms, up to, for lit fibre' },
    about: 'Managed; switches of the provider lie on the way.',
  },
  {
    kind: 'vpls',
    name: 'VPLS',
    layer: 'Ethernet, many sites',
    latency: 'provider',
    encryption: ['ipsec'],
    ownOptics: false,
    availability: null,
    about: 'One LAN of many sites; MACsec does not pass bridges of a provider unless it says so.',
  },
  {
    kind: 'ipVpn',
    name: 'MPLS IP-VPN',
    layer: 'IP, private',
    latency: 'provider',
    encryption: ['ipsec'],
    ownOptics: false,
    availability: null,
    about: 'Routed and given classes of service by the provider.',
  },
  {
    kind: 'dia',
    name: 'dedicated internet access',
    layer: 'Internet',
    latency: 'unbounded',
    encryption: ['ipsec'],
    ownOptics: false,
    availability: null,
    about: 'Nothing is promised beyond the edge of the provider.',
  },
  {
    kind: 'ipTransit',
    name: 'IP transit',
    layer: 'Internet',
    latency: 'unbounded',
    encryption: ['ipsec'],
    ownOptics: false,
    availability: null,
    about: 'Reaches everything by BGP; nothing is promised beyond the edge of the provider.',
  },
  {
    kind: 'cloudOnRamp',
    name: 'cloud on-ramp',
    layer: 'Ethernet into a cloud',
    latency: 'provider',
    encryption: ['macsec', 'ipsec'],
    ownOptics: false,
    availability: null,
    about:
      'AWS targets 99.9 % for two locations and 99.99 % for more with separate devices, none for one; MACsec on dedicated ports only.',
  },
];

export const factsOf = (kind: TransportKind): KindFacts => kindFacts.find((f) => f.kind === kind)!;
