import * as z from 'zod';
import { figure } from '../figure.ts';

const closing = z.object({
  mode: z.string(),
  gbps: z.number().positive(),
  slotWidthGhz: z.number().positive(),
  marginDb: z.number().meta({ description: 'Of the worst channel, above everything that is kept in reserve.' }),
  how: z.enum(['sourced', 'entered', 'assumed']),
  source: z.string(),
});

const link = z
  .object({
    name: z.string(),
    from: z.string(),
    to: z.string(),
    lengthKm: z.number(),
    lengthHow: z.string(),
    spansKm: z.array(z.number()),
    latencyMs: z.number().meta({ description: 'One way.' }),
    launchDbm: z.number().meta({ description: 'Best power per 50 GHz into each span.' }),
    gsnrDb01nm: z
      .number()
      .nullable()
      .meta({ description: 'Of the worst of 96 channels at that power; null where a span is too long.' }),
    channels: z
      .array(z.object({ frequencyThz: z.number(), gsnrDb01nm: z.number() }))
      .meta({ description: 'GSNR of each channel of the full comb at that power.' }),
    why: z.string().meta({ description: 'Why it cannot be lit; empty where it can.' }),
    closes: z.array(closing).meta({ description: 'The widest-margin mode of each rate that closes, fastest first.' }),
    maxTbps: z.number().meta({ description: 'Most that one fibre pair carries, filled with the best of them.' }),
    usedSlots: z.number().int().meta({ description: 'Slots of 12.5 GHz that the lightpaths below take on it.' }),
  })
  .meta({ description: 'A link whose fibre is yours to light.' });

const lightpath = z
  .object({
    from: z.string(),
    to: z.string(),
    gbps: z.number().meta({ description: 'Demand, the larger direction.' }),
    links: z.array(z.string()).meta({ description: 'Links in order; empty where no own fibre leads.' }),
    lengthKm: z.number(),
    latencyMs: z.number().nullable().meta({ description: 'One way through the fibre; null where none leads.' }),
    regeneratedAt: z.array(z.string()).meta({ description: 'Places where the light is received and sent again.' }),
    wavelengths: z.array(
      closing.extend({
        links: z.array(z.string()),
        count: z.number().int().min(1),
        firstSlot: z
          .number()
          .int()
          .min(0)
          .meta({ description: 'First slot of 12.5 GHz, from the lower end of the band.' }),
        slots: z.number().int().min(1),
      }),
    ),
    why: z.string().meta({ description: 'Why there is none; empty where there is.' }),
  })
  .meta({ description: 'The light for one demand.' });

/** What `inferpath plan optical NETWORK --json` prints. */
export const opticalNetworkReport = z
  .object({
    schema: z.literal('inferpath/plan-optical@1'),
    links: z.array(link),
    lightpaths: z.array(lightpath),
    spectrum: z.object({
      totalSlots: z.number().int(),
      usedSlots: z
        .number()
        .int()
        .meta({ description: 'Slots of 12.5 GHz from the first to the last in use on any link.' }),
      lowerBoundSlots: z.number().int().meta({ description: 'No assignment can do with fewer.' }),
      fits: z.boolean(),
    }),
    of: z
      .object({ links: z.number().int(), lightpaths: z.number().int() })
      .meta({ description: 'How many there would be; fewer stand above where it was ended early.' }),
    ended: z.enum(['complete', 'interrupted', 'time limit']),
    figures: z.array(figure).meta({ description: 'What was assumed, entered and taken from sources.' }),
  })
  .meta({
    title: 'inferpath plan optical NETWORK --json',
    description: 'Own fibre: what closes on it, and the wavelengths that the demand needs.',
  });
export type OpticalNetworkReport = z.infer<typeof opticalNetworkReport>;
