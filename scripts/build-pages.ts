/** `npm run build:pages`: builds the files that the gateway serves, unless they are up to date. */
import { buildPages } from './pages.ts';

process.stdout.write((await buildPages()) ? 'dist/site  built\n' : 'dist/site  nothing has changed\n');
