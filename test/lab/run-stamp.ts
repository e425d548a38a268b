import { startStampReflector, stampLimits } from '../../src/lab/reflect/stamp/stamp-reflector.ts';

// Our STAMP reflector in a lab host, which answers in any size to whom it knows; prints a line when it listens.
const policy = { stateful: true, sizes: true, key: null, limits: stampLimits };
const reflector = await startStampReflector({ address: '::', port: 8620, ...policy });
process.stdout.write(`listens on ${reflector.port}\n`);
await reflector.failed;
