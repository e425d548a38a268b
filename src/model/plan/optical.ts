import * as z from 'zod';

const db = z.number();
/** A ratio that can be without bound, which JSON cannot write: null then. */
const openDb = z.number().nullable();

const channel = z
  .object({
    frequencyThz: z.number().positive(),
    baudRateGbd: z.number().positive(),
    slotWidthGhz: z.number().positive(),
    gsnrDb01nm: db.meta({ description: 'Signal to all noise in 0.1 nm, transmitter and add/drop included.' }),
    gsnrDbSignal: db.meta({ description: 'The same in the bandwidth of the signal.' }),
    osnrAseDb01nm: openDb.meta({
      description: 'Signal to noise of amplifiers, transmitter and add/drop in 0.1 nm; null without any.',
    }),
    osnrNliDb01nm: openDb.meta({ description: 'Signal to nonlinear interference in 0.1 nm; null without any.' }),
    powerDbm: db.meta({ description: 'Power of the channel at the receiver.' }),
    cdPsPerNm: z.number().meta({ description: 'Accumulated chromatic dispersion.' }),
    pmdPs: z.number().min(0),
    pdlDb: z.number().min(0),
  })
  .meta({ description: 'One channel at the receiver.' });

const element = z.object({
  uid: z.string(),
  kind: z.enum(['fibre', 'amplifier', 'multi-band', 'roadm', 'fused']),
  model: z.string().optional().meta({ description: 'Model of the equipment file: given, or chosen by auto-design.' }),
  lengthKm: z.number().positive().optional(),
  outputDbm: db.meta({ description: 'Power of all channels together behind it.' }),
  lossDb: db.meta({ description: 'Power before over power behind; negative where it amplifies.' }),
  gainDb: z.number().optional(),
  nfDb: z.number().nullable().optional().meta({ description: 'Noise figure; null for a noiseless one.' }),
  overGainDb: z
    .number()
    .min(0)
    .optional()
    .meta({ description: 'How far its gain is above the largest flat one of its model: it can hardly be built.' }),
  saturated: z
    .boolean()
    .optional()
    .meta({ description: 'It cannot give the gain that is wanted: its power is at the limit.' }),
});

const mode = z
  .object({
    name: z.string(),
    gbps: z.number().positive(),
    format: z.string(),
    baudRateGbd: z.number().positive(),
    slotWidthGhz: z.number().positive(),
    requiredOsnrDb: db,
    channels: z.number().int().min(0).meta({ description: 'Channels of it that fit on the path.' }),
    closes: z.boolean(),
    marginDb: z.number().nullable().meta({
      description:
        'Of the worst channel, above required OSNR, penalties and system margin; null where an impairment is beyond its limit.',
    }),
    gsnrDb01nm: z.number().nullable(),
    penaltyDb: z.number().nullable(),
    why: z.string().meta({ description: 'Why it does not close; empty where it does.' }),
    how: z.enum(['sourced', 'entered', 'assumed']),
    source: z.string(),
  })
  .meta({ description: 'A way in which transceivers send, on this path filled with it.' });

/** What `inferpath plan optical --json` prints for one lightpath. */
export const opticalReport = z
  .object({
    schema: z.literal('inferpath/optical@1'),
    from: z.string(),
    to: z.string(),
    lengthKm: z.number().min(0),
    latencyMs: z.number().min(0).meta({ description: 'One way, through the fibre alone.' }),
    worstGsnrDb01nm: db,
    meanGsnrDb01nm: db,
    channels: z.array(channel),
    notCarriedThz: z.array(z.number()).meta({ description: 'Channels that no amplifier of the path carries.' }),
    elements: z.array(element),
    modes: z.array(mode),
    how: z.string().meta({ description: 'Which models it was computed with.' }),
  })
  .meta({
    title: 'inferpath plan optical --json',
    description: 'Quality of each channel of a lightpath, and what closes on it.',
  });
export type OpticalReport = z.infer<typeof opticalReport>;
