import type { NoiseModel } from './amplifier.ts';
import { fromDb, toDb } from './units.ts';

/** Why no two coils give the noise figures of a data sheet. */
export class NoSuchCoils extends Error {}

/**
 * A variable-gain amplifier as two coils with a loss between them, from the noise figures at its largest and its least gain: they say how
 * quiet each coil is. Where that would make them unlike each other (more than 2 dB apart, or less than 0.3 dB), they are set to the
 * border and the difference of their powers is solved for instead.
 * @throws NoSuchCoils
 */
export function twoCoils(gainMinDb: number, gainMaxDb: number, nfMinDb: number, nfMaxDb: number): NoiseModel {
  let deltaPDb = 5;
  const leastFirstDb = (delta: number) => gainMinDb - (gainMaxDb - gainMinDb) - delta;
  let mostFirstDb = gainMaxDb - deltaPDb;
  let nf2Db = toDb(
    (fromDb(nfMinDb) - fromDb(nfMaxDb)) / (1 / fromDb(mostFirstDb) - 1 / fromDb(leastFirstDb(deltaPDb))),
  );
  const nf1Db = toDb(fromDb(nfMinDb) - fromDb(nf2Db) / fromDb(mostFirstDb));
  if (!(nf1Db >= 4))
    throw new NoSuchCoils(`the first coil would have a noise figure of ${nf1Db.toFixed(2)} dB, below 4 dB`);
  if (!(nf2Db > nf1Db + 0.3 && nf2Db < nf1Db + 2)) {
    nf2Db = Math.min(nf1Db + 2, Math.max(nf1Db + 0.3, nf2Db));
    mostFirstDb = toDb(fromDb(nf2Db) / (fromDb(nfMinDb) - fromDb(nf1Db)));
    deltaPDb = gainMaxDb - mostFirstDb;
    if (!(deltaPDb > 1 && deltaPDb < 11))
      throw new NoSuchCoils(`the coils would differ by ${deltaPDb.toFixed(2)} dB of power, outside 1 to 11 dB`);
  }
  const nfAt = (firstDb: number) => toDb(fromDb(nf1Db) + fromDb(nf2Db) / fromDb(firstDb));
  const [quiet, loud] = [nfAt(mostFirstDb), nfAt(leastFirstDb(deltaPDb))];
  if (Math.abs(quiet - nfMinDb) > 0.01 || Math.abs(loud - nfMaxDb) > 0.01)
    throw new NoSuchCoils(`two coils would give ${quiet.toFixed(2)} to ${loud.toFixed(2)} dB`);
  return { kind: 'two-coils', nf1Db, nf2Db, deltaPDb };
}
