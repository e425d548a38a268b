// `npm run build`: install and build what is out of date.
import { guarded, prepare } from './prepare.mjs';

await guarded(() => void prepare(), 1);
