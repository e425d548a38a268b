import * as z from 'zod';
import { place, transportKind } from './network-links.ts';
import { named } from './patterns.ts';
import { workloadClass } from './workload.ts';

const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);
const money = (description: string) => z.number().min(0).max(1e12).meta({ description });

/** Where inference could run. */
export const candidate = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    site: name.optional().meta({ description: 'Site of the file that it is.' }),
    location: place.optional().meta({ description: 'Where it is, if it is no site of the file.' }),
    isOpen: z.boolean().default(false).meta({ description: 'Serves already.' }),
    mayClose: z.boolean().default(false).meta({ description: 'Of an open one: may be given up.' }),
    capacityUsers: z
      .number()
      .positive()
      .max(1e10)
      .optional()
      .meta({ description: 'Users that it can serve; default: all.' }),
    monthly: money('Cost of having it, per month.').optional(),
    monthlyPerUser: money('Cost of each user that it serves, per month.').optional(),
  })
  .refine((c) => c.site === undefined || c.location === undefined, {
    message: 'allowed: one of the keys site and location',
  })
  .meta({ description: 'A place where inference runs or could run.' });
export type Candidate = z.infer<typeof candidate>;

/** What a carrier offered. Prices come from here and from nowhere else. */
export const quote = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    from: name.meta({ description: 'Site at one end.' }),
    to: name.meta({ description: 'Site at the other.' }),
    kind: transportKind,
    carrier: name.optional().meta({ description: 'Who offers it.' }),
    capacityGbps: z.number().positive().max(10_000_000).meta({ description: 'Capacity of one unit each way, Gbit/s.' }),
    maxUnits: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .meta({ description: 'Units that can be had; default: any number.' }),
    monthly: money('Price of each unit per month.').optional(),
    setup: money('Price of each unit, once.').optional(),
    baseMonthly: money(
      'Price of the first unit beyond the others’, per month: fibre, line system, cross-connect.',
    ).optional(),
    baseSetup: money('The same, once: amplifiers, ROADMs, installation.').optional(),
    termMonths: z.number().int().min(1).max(600).optional().meta({ description: 'Shortest term, months.' }),
    rttMs: z.number().positive().max(10_000).optional().meta({ description: 'Round trip that is promised, ms.' }),
    lengthKm: z.number().positive().max(40_000).optional().meta({ description: 'Length of the route, km.' }),
    availability: z.number().gt(0).max(1).optional().meta({ description: 'Availability that is promised.' }),
    encryption: z
      .array(z.enum(['optical', 'macsec', 'ipsec']))
      .max(3)
      .optional()
      .meta({ description: 'Encryption that it offers or lets through; default: what its kind can.' }),
    riskGroups: z.array(name).max(100).default([]).meta({ description: 'Risk groups that it would share.' }),
    onRamp: z.enum(['aws', 'azure', 'google', 'other']).optional().meta({ description: 'Cloud that it leads into.' }),
    leadWeeks: z.number().min(0).max(1000).optional().meta({ description: 'Time until it is there, weeks.' }),
  })
  .meta({ description: 'An offer for a connection.' });
export type Quote = z.infer<typeof quote>;

/** What a pair of sites needs from whatever connects them. */
export const requirement = z
  .strictObject({
    from: name.meta({ description: 'Site at one end.' }),
    to: name.meta({ description: 'Site at the other.' }),
    class: workloadClass.optional().meta({ description: 'Class whose round trip has to be kept.' }),
    maxRttMs: z
      .number()
      .positive()
      .max(10_000)
      .optional()
      .meta({ description: 'Longest round trip, ms; default: of the class.' }),
    minGbps: z
      .number()
      .positive()
      .max(10_000_000)
      .optional()
      .meta({ description: 'Least capacity, Gbit/s; default: the demand.' }),
    availability: z.number().gt(0).lt(1).optional().meta({ description: 'Least availability, e.g. 0.9999.' }),
    encryption: z
      .enum(['none', 'any', 'optical', 'macsec', 'ipsec'])
      .default('none')
      .meta({ description: 'Encryption below TLS.' }),
    diverse: z.boolean().default(false).meta({ description: 'Has to have two ways that share no risk group.' }),
    ownOptics: z
      .boolean()
      .optional()
      .meta({ description: 'Whether somebody here can run optical equipment; default: not asked.' }),
  })
  .meta({ description: 'A connection that is needed.' });
export type Requirement = z.infer<typeof requirement>;

/** How to plan. */
export const planning = z
  .strictObject({
    years: z.number().int().min(0).max(20).default(3).meta({ description: 'Years to look ahead.' }),
    growthPerYear: z
      .number()
      .min(-0.9)
      .max(20)
      .default(0.4)
      .meta({ description: 'Growth of demand a year; 0.4 is 40 %.' }),
    maxUtilisation: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .meta({ description: 'Share of a link that may be used, failures included.' }),
    availability: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.9999)
      .meta({ description: 'Availability that every endpoint is to have.' }),
    coverage: z
      .number()
      .gt(0)
      .max(1)
      .default(0.95)
      .meta({ description: 'Share of users that is to be inside the target round trip.' }),
    maxSites: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Most sites to place; default: the trade-off up to 10.' }),
    routeFactor: z
      .number()
      .min(1)
      .max(5)
      .default(1.5)
      .meta({ description: 'Cable length over great circle where no length is known.' }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters, like EUR')
      .default('EUR')
      .meta({ description: 'Currency of all prices, ISO 4217.' }),
    optical: z
      .strictObject({
        spanKm: z
          .number()
          .min(10)
          .max(200)
          .default(80)
          .meta({ description: 'Longest span between amplifiers that are placed here, km.' }),
        marginDb: z.number().min(0).max(20).default(2).meta({ description: 'GSNR that is kept in reserve, dB.' }),
        modes: z
          .array(
            z.strictObject({
              name: name.meta({ description: 'Name that the reports use.' }),
              gbps: z.number().positive().max(10_000).meta({ description: 'Rate, Gbit/s.' }),
              baudRateGbd: z.number().positive().max(500).meta({ description: 'Symbol rate, GBd.' }),
              slotWidthGhz: z.number().positive().max(1000).meta({ description: 'Width on the grid, GHz.' }),
              requiredOsnrDb01nm: z.number().min(0).max(60).meta({ description: 'OSNR that it needs, dB in 0.1 nm.' }),
              txOsnrDb: z
                .number()
                .min(0)
                .max(80)
                .default(36)
                .meta({ description: 'OSNR of the transmitter, dB in 0.1 nm.' }),
              maxCdPsPerNm: z
                .number()
                .positive()
                .max(1e6)
                .optional()
                .meta({ description: 'Chromatic dispersion that it bears, ps/nm.' }),
              maxPmdPs: z
                .number()
                .positive()
                .max(1000)
                .optional()
                .meta({ description: 'Polarisation mode dispersion that it bears, ps.' }),
            }),
          )
          .max(200)
          .default([])
          .meta({ description: 'Transceivers of your own, beside the published ones.' }),
      })
      .prefault({})
      .meta({ description: 'Assumptions about the light.' }),
  })
  .prefault({})
  .meta({ description: 'What to plan for, and with which assumptions.' });
