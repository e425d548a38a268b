import * as z from 'zod';
import { named } from './patterns.ts';

const name = z
  .string()
  .regex(named.name.pattern, `must be ${named.name.words}`)
  .meta({ description: 'Name that other parts of the file and the reports use.' });

const failuresPerYear = z.number().min(0).max(1000).meta({ description: 'Failures a year that take it down.' });
const repairHours = z.number().positive().max(10_000).meta({ description: 'Mean time until it works again, hours.' });
const availability = z
  .number()
  .gt(0)
  .max(1)
  .meta({ description: 'Share of time that it works, in place of failures and repair.' });

/** How often something fails: by failures and repair, or by the share of time that it works; both absent: a default with its source. */
const failing = {
  failuresPerYear: failuresPerYear.optional(),
  repairHours: repairHours.optional(),
  availability: availability.optional(),
};

export const place = z
  .strictObject({
    lat: z.number().min(-90).max(90).meta({ description: 'Latitude in degrees north.' }),
    lon: z.number().min(-180).max(180).meta({ description: 'Longitude in degrees east.' }),
  })
  .meta({ description: 'A position on the globe.' });

export const carrier = z
  .strictObject({
    name,
    failuresPer1000KmYear: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .meta({ description: 'Failures of its cables per 1,000 km and year that affect service.' }),
    repairHours: repairHours.optional(),
    availability: availability.optional().meta({
      description: 'Share of time that nothing takes down the whole carrier; default: it never fails as a whole.',
    }),
  })
  .meta({ description: 'A company that links belong to.' });

export const riskGroup = z
  .strictObject({
    name,
    about: z.string().max(200).optional().meta({ description: 'What its links share, like "duct along the river".' }),
    lengthKm: z.number().positive().max(40_000).optional().meta({ description: 'Length that is shared, km.' }),
    ...failing,
  })
  .meta({ description: 'Links that fail together: one duct, bridge, building or power feed (SRLG).' });

export const node = z
  .strictObject({
    name,
    site: name.meta({ description: 'Site that it stands at.' }),
    kind: z.enum(['router', 'switch', 'roadm', 'amplifier']).default('router').meta({ description: 'What it is.' }),
    carrier: name.optional().meta({ description: 'Carrier that it belongs to.' }),
    riskGroups: z.array(name).max(100).default([]).meta({ description: 'Risk groups that it fails with.' }),
    ...failing,
  })
  .meta({ description: 'A device that can fail alone. A site without nodes is one node of its name.' });

/** What a link is bought as; the same words as for quotes. */
export const transportKind = z
  .enum([
    'darkFibre',
    'mofn',
    'spectrum',
    'wavelength',
    'ethernetP2p',
    'vpls',
    'ipVpn',
    'dia',
    'ipTransit',
    'cloudOnRamp',
  ])
  .meta({
    description:
      'How it is bought: dark fibre, managed optical fibre network, spectrum, wavelength, Ethernet point-to-point, VPLS, MPLS IP-VPN, dedicated internet access, IP transit, cloud on-ramp.',
  });
export type TransportKind = z.infer<typeof transportKind>;

const fibre = z
  .strictObject({
    type: z
      .enum(['ssmf', 'nzdf', 'lof'])
      .default('ssmf')
      .meta({ description: 'Kind of fibre: ITU-T G.652, G.655, large area.' }),
    spansKm: z
      .array(z.number().positive().max(500))
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Spans between amplifiers, km; default: even spans of at most planning.optical.spanKm.' }),
    lossDbPerKm: z
      .number()
      .positive()
      .max(2)
      .optional()
      .meta({ description: 'Attenuation with splices, dB/km; default 0.2.' }),
    connectorLossDb: z
      .number()
      .min(0)
      .max(5)
      .optional()
      .meta({ description: 'Loss at each end of a span, dB; default 0.5.' }),
    channels: z.number().int().min(1).max(1000).optional().meta({ description: 'Wavelengths in use already.' }),
  })
  .meta({ description: 'The glass, where it is yours to light (dark fibre, MOFN, spectrum).' });

export const link = z
  .strictObject({
    name,
    from: name.meta({ description: 'Node or site at one end.' }),
    to: name.meta({ description: 'Node or site at the other.' }),
    kind: transportKind.default('wavelength'),
    lengthKm: z.number().min(0).max(40_000).optional().meta({
      description: 'Length of the route, km; default: along route, else the great circle times planning.routeFactor.',
    }),
    route: z
      .array(place)
      .min(2)
      .max(10_000)
      .optional()
      .meta({ description: 'Course of the cable, from one end to the other.' }),
    capacityGbps: z.number().positive().max(10_000_000).optional().meta({ description: 'Capacity each way, Gbit/s.' }),
    carrier: name.optional().meta({ description: 'Carrier that it belongs to.' }),
    riskGroups: z.array(name).max(100).default([]).meta({ description: 'Risk groups that it fails with.' }),
    rttMs: z.number().min(0).max(10_000).optional().meta({
      description: 'Round trip over it, ms, where known; a measured one wins, else it is worked out from the length.',
    }),
    weight: z.number().positive().max(1e9).optional().meta({ description: 'Routing metric; default: the delay.' }),
    fibre: fibre.optional(),
    ...failing,
  })
  .meta({ description: 'A connection of two places, both ways.' });
