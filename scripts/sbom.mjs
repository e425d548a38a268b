// Prints the software bill of materials of what runs on a user's machine, as CycloneDX 1.6 JSON on stdout:
//   npm run -s sbom > inferpath.cdx.json          (--dev: what builds and tests it, too)
// Made of package-lock.json alone, without the network and without what is installed; the same lock file gives the same octets.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const read = (/** @type {string} */ name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/**
 * @typedef {{ version?: string, integrity?: string, license?: string, dev?: boolean, optional?: boolean, devOptional?: boolean, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, devDependencies?: Record<string, string> }} Locked
 * @param {string} lockText
 * @param {{ dev: boolean }} options
 */
export function billOfMaterials(lockText, { dev }) {
  /** @type {Record<string, Locked>} */
  const packages = JSON.parse(lockText).packages;
  const { '': root = {}, ...rest } = packages;
  const kept = Object.entries(rest).filter(([, one]) => dev || one.dev !== true);
  const places = new Map(kept);
  const name = /** @type {string} */ (JSON.parse(read('package.json')).name);
  const rootRef = refOf(name, root.version ?? '0');
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(lockText)}`,
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': rootRef, name, version: root.version } },
    components: kept.map(([place, one]) => componentOf(place, one)).toSorted(byRef),
    dependencies: [
      { ref: rootRef, dependsOn: dependsOn('', { ...root, ...(dev ? {} : { devDependencies: {} }) }, places) },
      ...kept.map(([place, one]) => ({ ref: refAt(place, one), dependsOn: dependsOn(place, one, places) })),
    ].toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
  };
}

/** @param {string} place @param {Locked} one */
function componentOf(place, one) {
  const name = nameOf(place);
  const sha512 = /^sha512-(.+)$/.exec(one.integrity ?? '')?.[1];
  return {
    type: 'library',
    'bom-ref': refAt(place, one),
    name,
    version: one.version,
    purl: refOf(name, one.version ?? '0'),
    scope: one.dev === true ? 'excluded' : one.optional === true ? 'optional' : 'required',
    ...(sha512 ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }] } : {}),
    ...(one.license ? { licenses: [licenceOf(one.license)] } : {}),
  };
}

/** @param {string} text an SPDX id, or an expression of several */
function licenceOf(text) {
  return / (OR|AND|WITH) /.test(text) ? { expression: text } : { license: { id: text } };
}

/** @param {string} place @param {Locked} one @param {Map<string, Locked>} places */
function dependsOn(place, one, places) {
  const names = Object.keys({ ...one.dependencies, ...one.optionalDependencies, ...one.devDependencies });
  const refs = names.flatMap((name) => resolve(place, name, places) ?? []);
  return [...new Set(refs)].toSorted();
}

/** As Node finds it: beside the package, then in each folder above. @param {string} place @param {string} name @param {Map<string, Locked>} places */
function resolve(place, name, places) {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const candidate = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    const found = places.get(candidate);
    if (found) return refAt(candidate, found);
    if (at === '') return undefined;
  }
}

const nameOf = (/** @type {string} */ place) =>
  place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
const refOf = (/** @type {string} */ name, /** @type {string} */ version) =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`;
/** Two places may hold the same version: the deeper one is told apart by where it lies. @param {string} place @param {Locked} one */
const refAt = (place, one) => {
  const ref = refOf(nameOf(place), one.version ?? '0');
  return place.lastIndexOf('node_modules/') === 0 ? ref : `${ref}#${place}`;
};
const byRef = (/** @type {{ 'bom-ref': string }} */ a, /** @type {{ 'bom-ref': string }} */ b) =>
  a['bom-ref'] < b['bom-ref'] ? -1 : 1;

/** A name-based UUID (RFC 9562 §5.8, version 8). @param {string} text */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').at(-1) ?? ''))
  process.stdout.write(
    `${JSON.stringify(billOfMaterials(read('package-lock.json'), { dev: process.argv.includes('--dev') }), null, 2)}\n`,
  );
