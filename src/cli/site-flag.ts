import * as z from 'zod';
import type { StarterAnswers } from './starter.ts';

export const siteWords = 'name:lat,lon:role with the role user, edge, dc or cloud';

type Site = StarterAnswers['sites'][number];

/**
 * A place as it is typed on a command line: `frankfurt:50.11,8.68:dc`; the role may be left out and is then dc.
 * @throws RangeError that says what is allowed.
 */
export function parseSite(text: string): Site {
  const match = /^([^:]+):(-?[\d.]+),\s*(-?[\d.]+)(?::(user|edge|dc|cloud))?$/.exec(text.trim());
  const [lat, lon] = [Number(match?.[2]), Number(match?.[3])];
  if (!match?.[1] || Number.isNaN(lat) || Number.isNaN(lon)) throw new RangeError(`allowed: ${siteWords}`);
  return { name: match[1], lat, lon, role: (match[4] ?? 'dc') as Site['role'] };
}

/** `parseSite` as the schema of a flag. */
export const siteText = z.string().transform((text, context): Site => {
  try {
    return parseSite(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
