import { csvFields } from '../csv.ts';
import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** A row of a list of places. */
export interface ListedPlace {
  name: string;
  lat: number;
  lon: number;
  /** The column `users` or `population`; null where the list has neither. */
  users: number | null;
  /** The column `monthly`; null where the list has none. */
  monthly: number | null;
}

/**
 * A list of cities or regions: comma-separated values with a line of headings, of which name, lat and lon have to be there, and users
 * (or population) and monthly may be.
 */
export function parsePlaces(text: string): Parsed<ListedPlace[]> {
  const findings = startFindings();
  const [head = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const headings = csvFields(head.slice(0, 1000), ',').map((one) => one.trim().toLowerCase());
  const column = (...names: string[]) => headings.findIndex((one) => names.includes(one));
  const at = {
    name: column('name'),
    lat: column('lat'),
    lon: column('lon'),
    users: column('users', 'population'),
    monthly: column('monthly'),
  };
  for (const key of ['name', 'lat', 'lon'] as const)
    if (at[key] < 0) findings.mistake(1, key, `${found(head)}; allowed: a line of headings with name, lat, lon`);
  if (lines.length > maxRows) findings.mistake(maxRows, 'file', `found ${lines.length} lines; allowed: ${maxRows}`);
  const places: ListedPlace[] = [];
  if (!findings.failed())
    for (const [index, line] of lines.entries())
      if (line.trim() !== '') places.push(placeOf(csvFields(line.slice(0, 10_000), ','), at, index + 2, findings));
  return findings.result(() => places);
}

type Columns = Record<keyof ListedPlace, number>;

function placeOf(fields: string[], at: Columns, line: number, findings: Findings): ListedPlace {
  const number = (key: keyof ListedPlace, least: number, most: number): number => {
    const value = decimal(fields[at[key]]?.trim());
    if (value !== null && value >= least && value <= most) return value;
    findings.mistake(line, key, `${found(fields[at[key]])}; allowed: a number from ${least} to ${most}`);
    return 0;
  };
  const name = fields[at.name]?.trim() ?? '';
  if (name === '') findings.mistake(line, 'name', 'found nothing; allowed: a name');
  return {
    name,
    lat: number('lat', -90, 90),
    lon: number('lon', -180, 180),
    users: at.users < 0 ? null : number('users', 0, 1e10),
    monthly: at.monthly < 0 ? null : number('monthly', 0, 1e12),
  };
}
