import { parsePlaces } from '../../gather/topology/places-csv.ts';
import { printable } from '../../model/outcome.ts';
import type { SitePlace, UserPlace } from '../../plan/placement/from-network.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import { parsedOrMistakes, readInput } from '../input-file.ts';

/** Largest file of places or of a published case. */
export const maxPlacementBytes = 64 * 1024 * 1024;

/** Users of a list of cities; those without any are left out. */
export async function readCities(file: string, io: Io): Promise<UserPlace[]> {
  const { value } = parsedOrMistakes(file, parsePlaces(await readInput(file, maxPlacementBytes, io)));
  if (value.some(({ users }) => users === null))
    throw new UsageError(`${file}:1: users: found no such column; allowed: users or population`);
  return value.flatMap(({ name, lat, lon, users }) =>
    users ? [{ name: printable(name, 100), site: null, place: { lat, lon }, users }] : [],
  );
}

/** Candidates of a list of regions. */
export async function readRegions(file: string, io: Io): Promise<SitePlace[]> {
  const { value } = parsedOrMistakes(file, parsePlaces(await readInput(file, maxPlacementBytes, io)));
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
