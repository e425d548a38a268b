import * as z from 'zod';
import { named } from './patterns.ts';

const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);
const count = (description: string, max = 1e9) => z.number().int().min(1).max(max).meta({ description });
const amount = (description: string, max = 1e12) => z.number().min(0).max(max).meta({ description });

/** Traffic of one workload, for `plan demand`. Counts are of the busiest hour where `byHour` says nothing else. */
export const workloadTraffic = z
  .strictObject({
    kind: z
      .enum(['chat', 'agents', 'rag', 'multimodal', 'scoring'])
      .default('chat')
      .meta({ description: 'What a request is made of; gives the defaults of sizes.' }),
    from: z
      .array(name)
      .min(1)
      .max(10_000)
      .optional()
      .meta({ description: 'Sites of its users; default: all sites with users.' }),
    to: z.array(name).min(1).max(1000).optional().meta({
      description: 'Sites or endpoints that serve it, the nearest first; default: endpoints with this workload.',
    }),
    requestsPerUserHour: amount('Requests of one user in the busiest hour.', 1e6).optional(),
    requestsPerS: amount(
      'Requests a second of all users together in the busiest hour, in place of the key above.',
    ).optional(),
    byHour: z.array(z.number().min(0)).length(24).optional().meta({
      description: 'Load of each hour of the day in local time of the users, in any unit; default: working hours.',
    }),
    model: name.optional().meta({ description: 'Model of `models` or of the library, like llama-3.1-70b.' }),
    api: name.optional().meta({ description: 'Wire format of the library, like openai-chat; gives bytes per event.' }),
    promptTokens: amount(
      'Tokens of a prompt; default: promptTokens of the workload, else of the kind.',
      1e7,
    ).optional(),
    outputTokens: amount('Tokens of an answer; default: maxTokens of the workload, else of the kind.', 1e7).optional(),
    eventBytes: amount('Bytes of one streamed event, in place of those of `api`.', 1e6).optional(),
    tokensPerEvent: z.number().positive().max(1e6).optional().meta({ description: 'Tokens in one event.' }),
    bytesPerPromptToken: amount('Bytes of a request for each prompt token.', 1e6).optional(),
    tokensPerS: amount('Tokens a second of one stream; default 50.', 1e6).optional(),
    callsPerRequest: count('Calls that an agent makes for one request.', 10_000).optional(),
    growthTokensPerCall: amount('Tokens that the context of an agent grows by with each call.', 1e6).optional(),
    retrievedTokens: amount('Tokens that retrieval adds to a prompt.', 1e7).optional(),
    retrieveFrom: name
      .optional()
      .meta({ description: 'Site of the store that is searched; default: where it is served.' }),
    mediaBytes: amount('Bytes of pictures, sound or video with a request.').optional(),
    kvTransfer: z
      .strictObject({
        to: name.meta({ description: 'Site that decodes; the site that serves the workload prefills.' }),
        deadlineMs: z
          .number()
          .positive()
          .max(60_000)
          .meta({ description: 'Time within which the cache has to be there, ms.' }),
        cachedShare: z
          .number()
          .min(0)
          .max(1)
          .optional()
          .meta({ description: 'Share of the prompt that is there already.' }),
      })
      .optional()
      .meta({ description: 'Prefill and decode at different sites: the KV cache crosses the network.' }),
  })
  .refine((t) => t.requestsPerS === undefined || t.requestsPerUserHour === undefined, {
    message: 'allowed: one of the keys requestsPerS and requestsPerUserHour',
  })
  .meta({ description: 'How much of it there is, for `inferpath plan`.' });
export type WorkloadTraffic = z.infer<typeof workloadTraffic>;

/** Traffic between sites that no user waits for. */
export const job = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    kind: z
      .enum(['trainingSync', 'checkpoint', 'replication'])
      .meta({ description: 'Gradients or weights of training over several sites, saved states, copies of data.' }),
    sites: z
      .array(name)
      .min(2)
      .max(1000)
      .meta({ description: 'Sites that take part; of two, from the first to the second.' }),
    model: name.optional().meta({ description: 'Model whose size counts.' }),
    bytes: amount('Bytes each time, in place of the size of a model.', 1e18).optional(),
    everyS: z.number().positive().max(1e8).meta({ description: 'Time between two, s.' }),
    withinS: z
      .number()
      .positive()
      .max(1e8)
      .optional()
      .meta({ description: 'Time that one may take, s; default: everyS.' }),
    everySteps: count('Steps between two synchronisations (DiLoCo); everyS is then the time of one step.').optional(),
  })
  .meta({ description: 'A transfer that comes again and again.' });
export type Job = z.infer<typeof job>;

/** Traffic that is known as a number. */
export const demand = z
  .strictObject({
    name: name.meta({ description: 'Name that the reports use.' }),
    from: name.meta({ description: 'Site or node it comes from.' }),
    to: name.meta({ description: 'Site or node it goes to.' }),
    gbps: z.number().positive().max(10_000_000).meta({ description: 'Busy-hour traffic from → to, Gbit/s.' }),
    backGbps: amount('Busy-hour traffic to → from, Gbit/s; default: the same.', 10_000_000).optional(),
  })
  .meta({ description: 'Traffic beside that of workloads and jobs.' });

/** A model of the user's own, or other figures for one of the library. */
export const modelSize = z
  .strictObject({
    name: name.meta({ description: 'Name that workloads and jobs use.' }),
    parametersBillion: z.number().positive().max(1e6).optional().meta({ description: 'Parameters, 10^9.' }),
    kvBytesPerToken: amount('Bytes of KV cache per token, all layers.', 1e9).optional(),
    bytesPerParameter: z
      .number()
      .positive()
      .max(16)
      .optional()
      .meta({ description: 'Bytes of a parameter; default 2.' }),
  })
  .meta({ description: 'Sizes of a model.' });
