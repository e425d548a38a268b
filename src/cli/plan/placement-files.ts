import { mistakeText, type Parsed } from '../../gather/topology/parsed.ts';
import { parsePlaces } from '../../gather/topology/places-csv.ts';
import { printable } from '../../model/outcome.ts';
import type { SitePlace, UserPlace } from '../../plan/placement/from-network.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';

const maxBytes = 64 * 1024 * 1024;

/** Users of a list of cities; those without any are left out. */
export async function readCities(file: string, io: Io): Promise<UserPlace[]> {
  const { value } = parsed(file, parsePlaces(await readCase(file, io)));
  if (value.some(({ users }) => users === null))
    throw new UsageError(`${file}:1: users: found no such column; allowed: users or population`);
  return value.flatMap(({ name, lat, lon, users }) =>
    users ? [{ name: printable(name, 100), site: null, place: { lat, lon }, users }] : [],
  );
}

/** Candidates of a list of regions. */
export async function readRegions(file: string, io: Io): Promise<SitePlace[]> {
  const { value } = parsed(file, parsePlaces(await readCase(file, io)));
  return value.map(({ name, lat, lon, monthly }) => ({
    name: printable(name, 100),
    site: null,
    place: { lat, lon },
    isOpen: false,
    mayClose: false,
    capacityUsers: Infinity,
    monthly: monthly ?? 0,
    monthlyPerUser: 0,
  }));
}

export async function readCase(file: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(file, maxBytes);
  } catch (error) {
    throw new UsageError(
      `Cannot read "${printable(file, 300)}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws UsageError with every mistake of the file */
export function parsed<T>(file: string, result: Parsed<T>): { value: T; notes: string[] } {
  if (!result.ok) throw new UsageError(result.mistakes.map((one) => mistakeText(file, one)).join('\n'));
  return {
    value: result.value,
    notes: result.notes.map(({ line, message }) => `${printable(file, 300)}:${line}: ${message}`),
  };
}
